import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";

import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { askNodeInfo } from "../../../../src/cli/node/info.ts";
import { NodeProgram, runNodeCommand } from "../../../support/node_program.ts";

describe("toxcore-ts node", { timeout: 120_000 }, () => {
  let folder = "";
  const path = (name: string) => join(folder, name);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "toxcore-ts-node-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const configure = (more: string) =>
    writeFile(
      path("conf"),
      `enable_ipv6=false enable_tcp_relay=false keys_file_path="${path("keys")}" pid_file_path="${path("pid")}" ${more}`,
    );
  const start = (...more: string[]) => NodeProgram.start("--config", path("conf"), "--port", "0", ...more);
  const motdOf = async ({ port }: NodeProgram) => (await askNodeInfo("127.0.0.1", port)).motd;

  it("keeps its key, answers who asks, reloads and stops", async () => {
    await configure('motd="one"');
    await using first = await start();
    const keys = await readFile(path("keys"));
    expect([keys.length, (await stat(path("keys"))).mode & 0o777]).toEqual([64, 0o600]);
    expect(first.publicKey).toBe(keys.toString("hex", 0, 32).toUpperCase());
    expect(await readFile(path("pid"), "utf8")).toBe(`${first.child.pid}\n`);
    expect(await motdOf(first)).toBe("one");
    await configure('motd="two"');
    first.reload();
    await expect.poll(() => motdOf(first), { timeout: 10_000 }).toBe("two");
    expect(await first.stop()).toBe(0);
    await expect(stat(path("pid"))).rejects.toThrow("ENOENT");
    await using second = await start("--log", "silent");
    expect(second.publicKey).toBe(first.publicKey);
    expect(await second.stop()).toBe(0);
    expect(second.log).toBe("");
  });

  it("reloads all of a configuration or nothing of it", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    try {
      await configure('motd="one"');
      await using node = await start();
      await configure('motd="two" prot=1');
      node.reload();
      await expect.poll(() => node.log, { timeout: 10_000 }).toMatch(/not reloaded.*did you mean port/);
      await configure(`motd="two" metrics={port=${port}}`);
      node.reload();
      await expect.poll(() => node.log, { timeout: 10_000 }).toMatch(new RegExp(`not reloaded.*127.0.0.1:${port}`));
      expect(await motdOf(node)).toBe("one");
      await configure('motd="three"');
      node.reload();
      await expect.poll(() => motdOf(node), { timeout: 10_000 }).toBe("three");
    } finally {
      taken.close();
    }
  });

  it("does not start when the metrics have no port, and says which", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    try {
      await configure("");
      const args = ["--config", path("conf"), "--port", "0", "--metrics", `127.0.0.1:${port}`];
      const { code, err } = await runNodeCommand(...args);
      expect([code, err]).toEqual([1, expect.stringContaining(`127.0.0.1:${port}`)]);
      expect(err).toContain("(port-in-use)");
    } finally {
      taken.close();
    }
  });

  it("serves no metrics unless asked, and is found healthy", async () => {
    await configure("");
    await using plain = await start();
    expect(plain.log).not.toContain("serving metrics");
    await plain.stop();
    await using node = await start("--metrics", "127.0.0.1:0");
    await expect.poll(() => node.log).toMatch(/serving metrics port=\d+/);
    const base = `http://127.0.0.1:${/serving metrics port=(\d+)/.exec(node.log)?.[1]}`;
    expect(await (await fetch(`${base}/metrics`)).text()).toMatch(/^toxcore_node_nodes 0$/m);
    expect(await runNodeCommand("health", `${base}/health`)).toEqual({ code: 0, out: "ok\n", err: "" });
    await node.stop();
    const silent = await runNodeCommand("health", `${base}/health`);
    expect([silent.code, silent.err]).toEqual([1, expect.stringContaining("(connection-failed)")]);
  });

  it("is found ill while nobody answers it", async () => {
    await configure("");
    await using node = await start("--metrics", "127.0.0.1:0", "--bootstrap", `127.0.0.1:9:${"AB".repeat(31)}0B`);
    await expect.poll(() => node.log).toMatch(/serving metrics port=\d+/);
    const url = `http://127.0.0.1:${/serving metrics port=(\d+)/.exec(node.log)?.[1]}/health`;
    const { code, out } = await runNodeCommand("health", url);
    expect([code, out]).toEqual([1, "no node of the network answers\n"]);
  });

  it("wants a log level that there is", async () => {
    const { code, err } = await runNodeCommand("--log", "loud");
    expect([code, err]).toEqual([1, expect.stringContaining("silent, error, warn, info, debug")]);
  });
});
