import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const TOYS = join(import.meta.dirname, "toys");

function fuzz(...args: readonly string[]) {
  const command = [join(ROOT, "fuzz/main.ts"), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: ROOT, encoding: "utf8" });
  return { status, stdout, stderr };
}

describe("npm run fuzz", () => {
  it("names the targets", () => {
    expect(fuzz("--list").stdout.split("\n")).toEqual(expect.arrayContaining(["dht_packets", "friend_packets"]));
  });

  it("runs targets side by side, and says what each did", () => {
    const { status, stdout } = fuzz("tox_id", "forwarding", "--runs", "500", "--seed", "1");
    expect(stdout).toMatch(/tox_id +500 .* ok\n/);
    expect(stdout).toMatch(/forwarding +500 .* ok\n/);
    expect(status).toBe(0);
  });

  it("tells how to see a failure again, and shows it again", () => {
    const found = fuzz("needle", "--folder", TOYS, "--runs", "20000", "--seed", "1");
    expect(found.status).toBe(1);
    expect(found.stdout).toContain("Error: 200 at 3");
    const command = /again: npm run fuzz -- (.*)/.exec(found.stdout)?.[1];
    expect(command).toBe("needle --input 000000c8");
    const again = fuzz("needle", "--folder", TOYS, "--input", "000000c8");
    expect(again.status).toBe(1);
    expect(again.stdout).toContain("Error: 200 at 3");
    expect(fuzz("needle", "--folder", TOYS, "--input", "c8").status).toBe(0);
  });

  it("puts an input that is too long for a command line into a file", () => {
    const found = fuzz("long_needle", "--folder", TOYS, "--runs", "5", "--seed", "1");
    const path = /again: npm run fuzz -- long_needle --input (.*)/.exec(found.stdout)?.[1] ?? "";
    expect(readFileSync(path).length).toBe(3000);
    expect(fuzz("long_needle", "--folder", TOYS, "--input", path).stdout).toContain("Error: too long");
    rmSync(dirname(path), { recursive: true });
    expect(fuzz("needle", "--folder", TOYS, "--input", "00".repeat(5000)).status).toBe(0);
  });

  it("says so when a corpus breaks an oracle", () => {
    const { status, stdout } = fuzz("no_corpus", "--folder", TOYS, "--seconds", "1");
    expect(status).toBe(1);
    expect(stdout).toContain("BROKEN");
    expect(stdout).toContain("Error: a sample is taken beyond its bounds");
    expect(stdout).toContain("again: npm run fuzz -- no_corpus --runs 1");
  });

  it("refuses what it does not know", () => {
    expect(fuzz("nonsense")).toMatchObject({ status: 1, stderr: expect.stringContaining('no target "nonsense"') });
    expect(fuzz("tox_id", "--input", "xyz").status).toBe(1);
    expect(fuzz("--input", "00").stderr).toContain("Name the one target");
  });
});
