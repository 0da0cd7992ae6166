import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/env/logger.ts";
import { Tox } from "../../../src/index.ts";
import { fileSink, fileStore, nodeFiles } from "../../../src/node/index.ts";
import { fileBytes } from "../../support/files.ts";
import { scratch } from "../../support/scratch.ts";
import { canMount, SmallDisk } from "../../support/small_disk.ts";
import { FilesWorld, until } from "../files/files_world.ts";

const newFolder = scratch();
const CONTENT = fileBytes(400_000);
const QUIET = { bindIpv4: "127.0.0.1", ipv6: false, logger: silentLogger };

describe.runIf(canMount("transfers on full and read-only disks are not tried"))("a file on a disk", () => {
  let disk: SmallDisk;
  beforeEach(() => {
    disk = new SmallDisk(newFolder(), 512 * 1024);
  });
  afterEach(() => disk.unmount());
  const at = (name: string) => join(disk.folder, name);

  it("that fills up fails and says so, gives back its room, and comes once there is some", async () => {
    const world = await FilesWorld.start();
    const friend = world.friend("A");
    writeFileSync(at("else"), new Uint8Array(300_000));
    friend.offer(0, { size: 500_000n });
    const transfer = world.offers[0]?.accept(fileSink(at("film")));
    friend.data(0, CONTENT.subarray(0, 280 * 1371));
    expect(await transfer?.done).toMatchObject({ state: "failed", reason: "disk-full" });
    expect(friend.controls().at(-1)).toMatchObject({ control: "kill" });
    await until("its room is free", () => readdirSync(disk.folder).length === 1);
    writeFileSync(at("else"), "");
    friend.offer(1, { size: 400_000n });
    const again = world.offers[1]?.accept(fileSink(at("film")));
    friend.data(1, CONTENT);
    expect(await again?.done).toEqual({ state: "done" });
    expect(readFileSync(at("film")).equals(CONTENT)).toBe(true);
  });

  it("that can be read only fails and says so", async () => {
    disk.remount("ro");
    const world = await FilesWorld.start();
    const friend = world.friend("A");
    friend.offer(0, { size: 400_000n });
    const transfer = world.offers[0]?.accept(fileSink(at("film")));
    friend.data(0, CONTENT.subarray(0, 1371));
    expect(await transfer?.done).toMatchObject({ state: "failed", reason: "permission-denied", message: /film\.part/ });
  });

  it("that becomes so between two runs is offered anew", async () => {
    const store = fileStore(at("alice.tox"));
    const world = await FilesWorld.start(store, nodeFiles);
    const friend = world.friend("A");
    friend.offer(0, { size: 400_000n });
    world.offers[0]?.accept(fileSink(at("film")));
    friend.data(0, CONTENT.subarray(0, 1371));
    await until("something is there", () => existsSync(at("film.part")) && readFileSync(at("film.part")).length > 0);
    await world.files.close();
    await store.close();
    const kept = readFileSync(at("film.part"));
    disk.remount("ro");
    const reader = fileStore(at("alice.tox"));
    await expect(FilesWorld.start(reader, nodeFiles)).rejects.toMatchObject({ code: "store-unavailable" });
    await reader.close();
    expect(readFileSync(at("film.part"))).toEqual(kept);
  });

  it("that fills up leaves the person in memory as he is, and on the disk as he was, until there is room", async () => {
    const store = fileStore(at("alice.tox"));
    const tox = await Tox.create({ store, name: "Alice", ...QUIET });
    const id = tox.id;
    const before = readFileSync(at("alice.tox"));
    disk.fill();
    tox.name = "Alicia";
    await tox.addFriendWithoutRequest("0B".repeat(32));
    await expect(tox.save()).rejects.toMatchObject({ code: "disk-full" });
    expect([tox.name, tox.friends.length]).toEqual(["Alicia", 1]);
    expect(readFileSync(at("alice.tox"))).toEqual(before);
    disk.empty();
    await tox.save();
    await tox.close();
    await store.close();
    const again = fileStore(at("alice.tox"));
    const next = await Tox.create({ store: again, ...QUIET });
    expect([next.name, next.friends.length, next.id]).toEqual(["Alicia", 1, id]);
    await next.close();
    await again.close();
  });
});

describe.runIf(process.getuid?.() === 0)("a folder that is not ours to write in", () => {
  /** Runs as nobody, who owns the folder. */
  const asNobody = (folder: string, script: string) => {
    const source = (path: string) => JSON.stringify(join(import.meta.dirname, path));
    const whole = `
      import { chmodSync, readdirSync } from "node:fs";
      import { fileSink } from ${source("../../../src/node/index.ts")};
      import { FilesWorld } from ${source("../files/files_world.ts")};
      process.setgid(65534); process.setuid(65534);
      const folder = ${JSON.stringify(folder)};
      const world = await FilesWorld.start();
      const friend = world.friend("A");
      friend.offer(0, { size: 3000n });
      const transfer = world.offers[0].accept(fileSink(folder + "/film"));
      ${script}
      const { state, reason } = await transfer.done;
      console.log(state, reason, friend.controls().at(-1).control, readdirSync(folder).join());`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", whole], { encoding: "utf8" });
    return stdout + stderr;
  };

  it("fails a transfer from the first byte on", () => {
    const folder = newFolder();
    chownSync(folder, 65534, 65534);
    chmodSync(folder, 0o500);
    expect(asNobody(folder, "friend.data(0, new Uint8Array(1371));")).toBe("failed permission-denied kill \n");
  });

  it("fails a transfer at its end, when it ceased to be ours meanwhile", () => {
    const folder = newFolder();
    chownSync(folder, 65534, 65534);
    const script = `
      friend.data(0, new Uint8Array(1371));
      while (transfer.bytes < 1371) await new Promise((resolve) => setTimeout(resolve, 1));
      chmodSync(folder, 0o500);
      friend.data(0, new Uint8Array(1629));`;
    // What cannot be removed stays; and nobody can take back what a sender has heard to have arrived.
    expect(asNobody(folder, script)).toBe("failed permission-denied accept film.part\n");
  });
});
