import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SeededRandom } from "../../../src/testing/index.ts";
import { writeU32 } from "../../../src/util/bytes.ts";
import { randomBytes } from "../../../src/util/random_numbers.ts";
import { utf8 } from "../../../src/util/text.ts";
import { allIsWell, arrive, dropsOf, meet, stillListens, type World } from "../../support/hostile_story.ts";

describe("a hostile friend, as a friend", () => {
  let world: World;

  beforeEach(async () => {
    world = await meet();
  });

  afterEach(async () => {
    await world[Symbol.asyncDispose]();
  });

  it("says ONLINE and OFFLINE wrongly and before his time", async () => {
    const { story, mallory, alice, aliceSees } = world;
    mallory.connect();
    await story.until("a session", () => mallory.established);
    for (const data of [[64, 65], [25], [48, 65], [150, 0, 1, 0, 0, 0, 1], [160, 1], [24, 0], [24, 24]]) {
      mallory.lossless(...data);
    }
    mallory.lossy(200, 1);
    await story.pass(50);
    expect(aliceSees.mallory.connection).toBe("none");
    expect(dropsOf(world, "friendPacket.unsolicited")).toBe(6);
    expect(dropsOf(world, "friendPacket.oversized")).toBe(2);
    const before = alice.heard.all("friendConnection").length;
    for (const data of [[24], [24], [24, 1], [25, 1], [24], [25], [25], [64, 65], [24], [24]])
      mallory.lossless(...data);
    await story.pass(50);
    expect(alice.heard.all("friendConnection").length - before).toBe(3);
    expect(alice.heard.all("message")).toEqual([]);
    await stillListens(world);
    await allIsWell(world);
  });

  it("comes and goes without end", async () => {
    await arrive(world);
    const { story, mallory, alice, aliceSees } = world;
    for (let i = 0; i < 1000; i++) aliceSees.mallory.send(`${i} `.padEnd(1000, "m"));
    const before = { ...mallory.traffic };
    const events = alice.heard.all("friendConnection").length;
    for (let i = 0; i < 2000; i++) {
      if (!mallory.established || mallory.of(2).length > 0) {
        mallory.heard.length = 0;
        mallory.handshake();
        await story.pass(20);
      }
      mallory.lossless(25);
      mallory.goOnline();
      await story.pass(1);
    }
    expect(alice.heard.all("friendConnection").length - events).toBeLessThan(60);
    const sent = mallory.traffic.sentBytes - before.sentBytes;
    expect(mallory.traffic.receivedBytes - before.receivedBytes).toBeLessThan(5 * sent);
    mallory.kill();
    await story.pass(40_000);
    await allIsWell(world);
    expect(aliceSees.mallory.queued).toBe(0);
    const heardByHonest = world.story.people.at(-1)?.heard.all("message") ?? [];
    const texts = heardByHonest.map(({ text }) => Number.parseInt(text, 10));
    expect(texts).toEqual([...new Set(texts)].sort((a, b) => a - b));
    expect(texts.length).toBe(1000);
  });

  it("has no name, or too long a one, or one that is not UTF-8", async () => {
    await arrive(world);
    const { story, mallory, alice, aliceSees } = world;
    for (const [id, limit] of [
      [48, 128],
      [49, 1007],
    ] as const) {
      for (const body of [[], [0xff, 0xfe], [0, 10, 27], Array(limit).fill(0xc3), Array(limit + 1).fill(65)]) {
        mallory.lossless(id, Uint8Array.from(body));
      }
    }
    for (const body of [[], [0], [1], [2], [3], [255], [1, 1]]) {
      mallory.lossless(50, ...body);
      mallory.lossless(51, ...body);
    }
    await story.pass(50);
    const names = alice.heard.all("friendName").map(({ name }) => name);
    expect(names.slice(-3)).toEqual(["\ufffd\ufffd", "\0\n\x1b", "\ufffd".repeat(128)]);
    expect(aliceSees.mallory.statusMessage).toBe("\ufffd".repeat(1007));
    expect([aliceSees.mallory.status, aliceSees.mallory.typing]).toEqual(["busy", true]);
    expect(dropsOf(world, "friendPacket.oversized")).toBe(4);
    expect(dropsOf(world, "friendPacket.truncated")).toBe(2);
    expect(dropsOf(world, "friendPacket.malformed")).toBe(2);
    await stillListens(world);
    await allIsWell(world);
  });

  it("types, renames himself and writes as fast as he can", async () => {
    await arrive(world);
    const { story, mallory, alice, aliceSees } = world;
    for (let i = 0; i < 3000; i++) {
      mallory.lossless(51, i & 1);
      mallory.lossless(48, 65 + (i % 26));
      mallory.lossless(64 + (i & 1), utf8(`${i}`));
      if (i % 100 === 0) await story.pass(1);
    }
    await story.pass(100);
    expect(alice.heard.all("message").map(({ text }) => text)).toEqual(Array.from({ length: 3000 }, (_, i) => `${i}`));
    expect(aliceSees.mallory.typing).toBe(true);
    mallory.kill();
    await story.pass(50);
    expect(aliceSees.mallory.typing).toBe(false);
    await allIsWell(world);
  });

  it("writes nothing, zeros and no UTF-8", async () => {
    await arrive(world);
    const { story, mallory, alice } = world;
    for (const id of [64, 65]) {
      for (const body of [[], [0], [0, 0, 65, 0], [0xff], [0xed, 0xa0, 0x80], Array(1372).fill(0xf0)]) {
        mallory.lossless(id, Uint8Array.from(body));
      }
    }
    await story.pass(50);
    const texts = alice.heard.all("message").map(({ text }) => text);
    expect(texts.length).toBe(10);
    expect(texts.slice(0, 3)).toEqual(["\0", "\0\0A\0", "\ufffd"]);
    expect(dropsOf(world, "friendPacket.truncated")).toBe(2);
    await stillListens(world);
    await allIsWell(world);
  });

  it("asks for friendship, and shares relays that are none", async () => {
    await arrive(world);
    const { story, mallory, alice } = world;
    const nospam = new Uint8Array(4);
    writeU32(nospam, 0, alice.tox.nospam);
    const random = new SeededRandom("relays");
    for (let i = 0; i < 200; i++) {
      mallory.lossless(18, nospam, utf8("again"));
      mallory.lossless(18, nospam.subarray(0, i % 5));
      mallory.lossless(17, randomBytes(random, i));
      mallory.lossless(17, 130, randomBytes(random, 38));
    }
    await story.pass(50);
    expect(alice.heard.all("friendRequest")).toEqual([]);
    expect(dropsOf(world, "friendRequest.unsolicited")).toBe(200);
    expect(alice.tox.friends.length).toBe(2);
    await stillListens(world);
    await allIsWell(world);
  });
});
