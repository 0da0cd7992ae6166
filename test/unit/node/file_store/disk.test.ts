import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fileStore } from "../../../../src/node/index.ts";
import { scratch } from "../../../support/scratch.ts";
import { canMount, SmallDisk } from "../../../support/small_disk.ts";

const newFolder = scratch();
const bytes = (...values: number[]) => Uint8Array.from(values);

describe.runIf(canMount("full and read-only disks are not tried"))("a disk", () => {
  let disk: SmallDisk;
  let path: string;

  beforeEach(() => {
    disk = new SmallDisk(newFolder(), 256 * 1024);
    path = join(disk.folder, "alice.tox");
  });
  afterEach(() => disk.unmount());

  it("that is full leaves everything as it was, and takes more when there is room", async () => {
    const store = fileStore(path);
    await Promise.all([store.write("profile", bytes(1)), store.write("nodes", bytes(1)), store.append(bytes(1))]);
    disk.fill();
    const large = new Uint8Array(100_000);
    const full = { code: "disk-full", message: expect.stringMatching(/no room to write .*alice\.tox.*: make room/) };
    await expect(store.write("profile", large)).rejects.toMatchObject(full);
    await expect(store.write("nodes", large)).rejects.toMatchObject(full);
    await expect(store.append(large)).rejects.toMatchObject(full);
    await expect(store.rewriteJournal([large])).rejects.toMatchObject(full);
    expect(await store.read("profile")).toEqual(bytes(1));
    expect(await store.read("nodes")).toEqual(bytes(1));
    expect(await store.readJournal()).toEqual([bytes(1)]);
    disk.empty();
    await Promise.all([store.write("profile", bytes(2)), store.write("nodes", bytes(2)), store.append(bytes(2))]);
    await store.close();
    const again = fileStore(path);
    expect([await again.read("profile"), await again.read("nodes")]).toEqual([bytes(2), bytes(2)]);
    expect(await again.readJournal()).toEqual([bytes(1), bytes(2)]);
    await again.close();
  });

  it("that fills up in the midst of many entries has those that were answered for", async () => {
    const store = fileStore(path);
    const kept: number[] = [];
    let failed = 0;
    for (let number = 0; number < 60; number++) {
      const filler = new Uint8Array(10_000).fill(number);
      await store.append(filler).then(
        () => kept.push(number),
        () => failed++,
      );
    }
    expect(failed).toBeGreaterThan(0);
    expect((await store.readJournal()).map(([number]) => number)).toEqual(kept);
    await store.rewriteJournal([]).catch(() => {});
    await store.close();
    const again = fileStore(path);
    await again.readJournal();
    await again.close();
  });

  it("that can be read only refuses a start, and a start that was refused is tried anew", async () => {
    const first = fileStore(path);
    await first.write("profile", bytes(1));
    await first.close();
    disk.remount("ro");
    const store = fileStore(path);
    const readOnly = { code: "store-unavailable", message: expect.stringContaining("Mount it for writing") };
    await expect(store.read("profile")).rejects.toMatchObject(readOnly);
    await expect(store.append(bytes(1))).rejects.toMatchObject(readOnly);
    disk.remount("rw");
    expect(await store.read("profile")).toEqual(bytes(1));
    await store.close();
  });

  it("that becomes unwritable under a store fails its writes until it is writable", async () => {
    const store = fileStore(path);
    await store.write("profile", bytes(1));
    await store.write("nodes", bytes(1));
    disk.remount("ro");
    await expect(store.write("profile", bytes(2))).rejects.toMatchObject({ code: "store-unavailable" });
    await expect(store.append(bytes(2))).rejects.toMatchObject({ code: "store-unavailable" });
    expect([await store.read("profile"), await store.read("nodes")]).toEqual([bytes(1), bytes(1)]);
    disk.remount("rw");
    await Promise.all([store.write("profile", bytes(3)), store.append(bytes(3))]);
    expect([readFileSync(path), readFileSync(`${path}.bak`)]).toEqual([Buffer.of(3), Buffer.of(1)]);
    expect(await store.readJournal()).toEqual([bytes(3)]);
    await store.close();
  });
});

describe.runIf(process.getuid?.() === 0)("a file of somebody else's", () => {
  it("is refused with what to do, and nothing is left", () => {
    const folder = newFolder();
    const path = join(folder, "alice.tox");
    writeFileSync(path, "theirs", { mode: 0o600 });
    const script = `
      import { fileStore } from ${JSON.stringify(join(import.meta.dirname, "../../../../src/node/index.ts"))};
      process.setgid(65534); process.setuid(65534);
      const store = fileStore(${JSON.stringify(path)});
      try { await store.read("profile"); } catch ({ code, message }) { console.log(code, message); }
      await store.close();`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^store-unavailable .*this user may not\. Allow it/);
  });
});
