import { createHash } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { toHex } from "../../../src/util/bytes.ts";
import { decodeFileRequest } from "../../../src/wire/friend/file_request.ts";
import { fileBytes } from "../../support/files.ts";
import { FilesWorld, type OneOfFriends } from "./files_world.ts";
import { settle } from "./world.ts";

const hashOf = (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest());

describe("a friend who means harm with his avatar", () => {
  let world: FilesWorld;
  let mallory: OneOfFriends;
  beforeEach(async () => {
    world = await FilesWorld.start();
    mallory = world.friend("M");
  });

  const image = (seed: number, size = 2000) => fileBytes(size, seed);
  /** Answers what we said to it. */
  const offer = async (slot: number, bytes: Uint8Array, fileId = hashOf(bytes), size = bytes.length) => {
    mallory.offer(slot, { kind: 1, size: BigInt(size), fileId, name: new Uint8Array(0) });
    await settle();
    return mallory.controls().map(({ control }) => control);
  };
  const shown = () => world.avatars.map(({ avatar }) => avatar?.hash);

  it("has none above 64 KiB fetched, nor one without a size", async () => {
    expect(await offer(0, image(1, 65_537))).toEqual(["kill"]);
    mallory.offer(1, { kind: 1, size: 2n ** 64n - 1n });
    await settle();
    expect(mallory.controls()).toMatchObject([{ control: "kill", slot: 1 }]);
    expect(await offer(2, image(2, 65_536))).toEqual(["accept"]);
    mallory.data(2, image(2, 65_536));
    await settle();
    expect(shown()).toEqual([toHex(hashOf(image(2, 65_536)))]);
  });

  it("has none shown that is not what its hash says, and the one before stays", async () => {
    await offer(0, image(1));
    mallory.data(0, image(1));
    await settle();
    expect(await offer(1, image(2))).toEqual(["accept"]);
    mallory.data(1, image(3));
    await settle();
    expect(shown()).toEqual([toHex(hashOf(image(1)))]);
    expect((await world.files.avatars.of(mallory.handle))?.bytes).toEqual(image(1));
  });

  it("changes it each second, and the last one is there in the end", async () => {
    let fetched = 0;
    for (let second = 0; second < 600; second++) {
      world.pass(1000);
      await settle();
      const said = await offer(second % 200, image(second));
      fetched += said.filter((control) => control === "accept").length;
      // He sends what was accepted, whichever it was.
      mallory.data(second % 200, image(second));
      await settle();
    }
    world.pass(60_000);
    await settle();
    mallory.data(599 % 200, image(599));
    await settle();
    expect(fetched).toBeLessThanOrEqual(8 + 20);
    expect(shown().at(-1)).toBe(toHex(hashOf(image(599))));
    expect(world.avatars.length).toBeLessThanOrEqual(8 + 21);
  });

  it("who takes it back while it comes has none, and an older one does not come after a newer one", async () => {
    await offer(0, image(1));
    expect(await offer(1, new Uint8Array(0))).toEqual(["kill", "kill"]);
    mallory.data(0, image(1));
    await settle();
    expect(shown()).toEqual([]);
    await offer(2, image(2));
    await offer(3, image(3));
    mallory.data(3, image(3));
    await settle();
    mallory.data(2, image(2));
    await settle();
    expect(shown()).toEqual([toHex(hashOf(image(3)))]);
  });

  it("who says over and over that he has none says nothing new", async () => {
    for (let i = 0; i < 500; i++) await offer(i % 200, new Uint8Array(0));
    expect(shown()).toEqual([]);
  });

  it("who is removed while it comes leaves nothing", async () => {
    await offer(0, image(1));
    world.files.removed(mallory.handle);
    mallory.data(0, image(1));
    await settle();
    expect(shown()).toEqual([]);
    expect(await world.store.read(`avatar-${mallory.handle.publicKey}`)).toBeUndefined();
  });

  it("who never takes ours has one offer of it open, though it changes each second", async () => {
    const open = new Set<number>();
    for (let second = 0; second < 600; second++) {
      await world.files.avatars.setOwn(image(second));
      for (const packet of mallory.said.splice(0)) {
        const request = decodeFileRequest(packet, () => undefined);
        if (request !== undefined) open.add(request.slot);
        else if (packet[3] === 2) open.delete(packet[2] ?? 0);
      }
      expect(open.size).toBe(1);
      world.pass(1000);
    }
  });
});
