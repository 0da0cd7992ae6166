import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fileStore } from "../../../../src/node/index.ts";
import { scratch } from "../../../support/scratch.ts";

const newFolder = scratch();
const bytes = (...values: number[]) => Uint8Array.from(values);

describe("the files of a store", () => {
  it("are none before the first call, and few, for their owner alone, behind it", async () => {
    const folder = newFolder();
    const unused = fileStore(join(folder, "unused.tox"));
    await unused.close();
    expect(readdirSync(folder)).toEqual([]);

    const store = fileStore(join(folder, "alice.tox"));
    for (const name of ["profile", "nodes", "marks", "profile"]) await store.write(name, bytes(1));
    await store.append(bytes(1));
    const files = ["alice.tox", "alice.tox-journal", "alice.tox-lock.1", "alice.tox-state", "alice.tox.bak"];
    expect(readdirSync(folder).sort()).toEqual(files);
    for (const file of files) expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
    await store.close();
    expect(readdirSync(folder)).not.toContain("alice.tox-lock.1");
  });

  it("have the profile as it was given, and the version before it", async () => {
    const path = join(newFolder(), "alice.tox");
    const store = fileStore(path);
    await store.write("profile", bytes(1));
    expect(existsSync(`${path}.bak`)).toBe(false);
    expect(await store.previous?.("profile")).toBeUndefined();
    await store.write("profile", bytes(2, 2));
    await store.write("profile", bytes(3, 3, 3));
    expect([readFileSync(path), readFileSync(`${path}.bak`)]).toEqual([Buffer.of(3, 3, 3), Buffer.of(2, 2)]);
    expect(await store.previous?.("profile")).toEqual({ bytes: bytes(2, 2), place: `${path}.bak` });
    await store.close();
  });

  it("keep the version before a damaged one when that is replaced", async () => {
    const path = join(newFolder(), "alice.tox");
    writeFileSync(path, "damaged");
    writeFileSync(`${path}.bak`, "good");
    const store = fileStore(path);
    const previous = await store.previous?.("profile");
    expect(previous).toEqual({ bytes: new Uint8Array(Buffer.from("good")), place: `${path}.bak` });
    await store.write("profile", bytes(1));
    expect(readFileSync(`${path}.bak`, "utf8")).toBe("good");
    await store.write("profile", bytes(2));
    expect(readFileSync(`${path}.bak`)).toEqual(Buffer.of(1));
    await store.close();
  });

  it("pay no heed to what a killed writer has left, nor follow what somebody put there", async () => {
    const folder = newFolder();
    const path = join(folder, "alice.tox");
    writeFileSync(`${path}-journal.new`, "half");
    writeFileSync(`${path}.bak.new`, "half");
    writeFileSync(join(folder, "victim"), "untouched");
    symlinkSync("victim", `${path}.new`);
    const store = fileStore(path);
    for (const value of [1, 2]) await store.write("profile", bytes(value));
    await store.append(bytes(3));
    await store.close();
    expect(readFileSync(join(folder, "victim"), "utf8")).toBe("untouched");
    expect(readdirSync(folder).sort()).toEqual(["alice.tox", "alice.tox-journal", "alice.tox.bak", "victim"]);
  });

  it.each(["there", "not there yet"])("lie beside the real one where a link leads, and it is %s", async (is) => {
    const folder = newFolder();
    mkdirSync(join(folder, "stick"));
    const real = join(folder, "stick", "profile.tox");
    if (is === "there") writeFileSync(real, Uint8Array.of(7));
    symlinkSync("stick/profile.tox", join(folder, "alice.tox"));
    const store = fileStore(join(folder, "alice.tox"));
    expect(await store.read("profile")).toEqual(is === "there" ? bytes(7) : undefined);
    await store.write("profile", bytes(8));
    await store.append(bytes(9));
    await expect(fileStore(real).readJournal()).rejects.toMatchObject({ code: "profile-in-use" });
    await store.close();
    expect(readlinkSync(join(folder, "alice.tox"))).toBe("stick/profile.tox");
    expect(readFileSync(real)).toEqual(Buffer.of(8));
    const direct = fileStore(real);
    expect(await direct.readJournal()).toEqual([bytes(9)]);
    await direct.close();
  });

  it("are refused where there can be none, with what to do, and made once there can", async () => {
    const folder = newFolder();
    symlinkSync("circle", join(folder, "circle"));
    writeFileSync(join(folder, "file"), "");
    const cases = [
      [folder, "is a folder: name a file in it"],
      ["/dev/null", "is no file: choose another path"],
      [join(folder, "circle"), "circle"],
      [join(folder, "file", "alice.tox"), "a part of the path is a file"],
      [join(folder, "missing", "alice.tox"), "there is no such folder. Make it first"],
    ] as const;
    for (const [path, sentence] of cases) {
      const store = fileStore(path);
      await expect(store.read("profile")).rejects.toMatchObject({
        code: "store-unavailable",
        message: expect.stringContaining(sentence),
      });
      await expect(store.append(bytes(1))).rejects.toMatchObject({ code: "store-unavailable" });
      if (path.includes("missing")) {
        mkdirSync(join(folder, "missing"));
        await store.append(bytes(2));
        expect(await store.readJournal()).toEqual([bytes(2)]);
      }
      await store.close();
    }
  });

  it("are refused, without being read, when they are longer than any profile", async () => {
    const path = join(newFolder(), "alice.tox");
    writeFileSync(path, "");
    truncateSync(path, 2 ** 40);
    const store = fileStore(path);
    await expect(store.read("profile")).rejects.toMatchObject({ code: "profile-damaged" });
    await store.close();
    writeFileSync(`${path}.bak`, "good");
    const again = fileStore(path);
    await expect(again.read("profile")).rejects.toThrow(`put ${path}.bak in its place`);
    await again.close();
    expect(statSync(path).size).toBe(2 ** 40);
  });

  it.runIf(process.platform !== "win32")("are refused where a pipe or a folder lies in the place of one", async () => {
    const path = join(newFolder(), "alice.tox");
    writeFileSync(path, "damaged");
    execFileSync("mkfifo", [`${path}.bak`, `${path}-journal`]);
    mkdirSync(`${path}-state`);
    const store = fileStore(path);
    const refused = (file: string) => ({
      code: "store-unavailable",
      message: expect.stringContaining(`${path}${file} is no file: move it away`),
    });
    await expect(store.read("profile")).rejects.toMatchObject(refused("-state"));
    rmSync(`${path}-state`, { recursive: true });
    await expect(store.readJournal()).rejects.toMatchObject(refused("-journal"));
    rmSync(`${path}-journal`);
    expect(Buffer.from((await store.read("profile")) ?? []).toString()).toBe("damaged");
    await expect(store.previous?.("profile")).rejects.toMatchObject(refused(".bak"));
    await store.close();
  });

  it("are opened once, though the calls after a failure come all at once", async () => {
    const folder = newFolder();
    const store = fileStore(join(folder, "later", "alice.tox"));
    const again = async (): Promise<void> => {
      await store.append(bytes(1)).catch(() => {
        mkdirSync(join(folder, "later"), { recursive: true });
        return Promise.all([store.append(bytes(2)), store.write("profile", bytes(2)), store.write("nodes", bytes(2))]);
      });
    };
    await Promise.all([again(), store.read("profile").catch(again), store.read("nodes").catch(again)]);
    await store.close();
    expect(existsSync(join(folder, "later", "alice.tox"))).toBe(true);
  });

  it("are let alone by a store that is closed", async () => {
    const path = join(newFolder(), "alice.tox");
    const store = fileStore(path);
    await store.append(bytes(1));
    await store.close();
    const calls = [
      () => store.read("profile"),
      () => store.write("nodes", bytes(1)),
      () => store.previous?.("profile"),
      () => store.readJournal(),
      () => store.append(bytes(2)),
      () => store.rewriteJournal([]),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "closed" });
    const again = fileStore(path);
    expect(await again.readJournal()).toEqual([bytes(1)]);
    await again.close();
  });

  it("take no entry and no name that would not come back", async () => {
    const store = fileStore(join(newFolder(), "alice.tox"));
    await expect(store.append(new Uint8Array(0x100_0000))).rejects.toMatchObject({ code: "invalid-argument" });
    await expect(store.write("ü".repeat(128), bytes(1))).rejects.toMatchObject({ code: "invalid-argument" });
    await store.close();
  });
});
