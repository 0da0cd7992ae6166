import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SeededRandom } from "../../../src/testing/index.ts";
import { concatBytes } from "../../../src/util/bytes.ts";
import { randomBytes } from "../../../src/util/random_numbers.ts";
import { allIsWell, arrive, dropsOf, meet, stillListens, type World } from "../../support/hostile_story.ts";

describe("a hostile friend, in the session", () => {
  let world: World;

  beforeEach(async () => {
    world = await meet();
  });

  afterEach(async () => {
    await world[Symbol.asyncDispose]();
  });

  it("lies about packet numbers and acknowledgements", async () => {
    await arrive(world);
    const { story, mallory, aliceSees, alice } = world;
    const waiting = aliceSees.mallory.send("waits");
    await story.pass(50);
    const numbers = [0, 1, 2, 0x7fff, 0x8000, 0x8001, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
    for (const number of numbers) mallory.inner(Uint8Array.of(64, 65), { number: (mallory.number - number) >>> 0 });
    for (const number of numbers.slice(3)) {
      mallory.inner(Uint8Array.of(64, 65), { number: (mallory.number + 0x8000 + number) >>> 0 });
    }
    for (const bufferStart of numbers.slice(3)) {
      for (const id of [1, 64, 200]) mallory.inner(Uint8Array.of(id), { bufferStart });
      mallory.inner(Uint8Array.of(64, 66), { bufferStart: (mallory.received + bufferStart) >>> 0 });
    }
    await story.pass(100);
    expect(dropsOf(world, "cryptoData.out-of-window")).toBeGreaterThan(20);
    expect(dropsOf(world, "cryptoData.replayed")).toBeGreaterThan(1);
    expect(waiting.state).toBe("sent");
    expect(alice.heard.all("message").map(({ text }) => text)).toEqual(["A", "A", "A"]); // one in its turn, and two behind it
    mallory.number += 3;
    await stillListens(world);
    await allIsWell(world);
  });

  it("sends every id with empty, short and oversized bodies", async () => {
    await arrive(world);
    const { story, mallory, alice } = world;
    const random = new SeededRandom("bodies");
    for (let id = 0; id < 256; id++) {
      if (id === 2 || id === 25) continue; // kill and offline: by themselves below
      for (const size of [0, 1, 2, 17, 129, 1008, 1372]) {
        const body = randomBytes(random, size);
        if (id === 150 && size > 1) body[0] = 1 + ((body[0] ?? 0) % 200); // a hello is random enough below
        mallory.inner(concatBytes(Uint8Array.of(id), body), { padding: size > 1365 ? 0 : size % 8 });
        if (id >= 16 && id < 192) mallory.number++;
      }
      await story.pass(1);
    }
    await story.pass(500);
    expect(dropsOf(world, "cryptoData.malformed")).toBeGreaterThan(0);
    expect(dropsOf(world, "cryptoData.unknown-id")).toBeGreaterThan(0);
    expect(dropsOf(world, "friendPacket.unknown-id")).toBeGreaterThan(50);
    expect(dropsOf(world, "friendPacket.oversized")).toBeGreaterThan(1);
    expect(alice.heard.all("message").length).toBe(12);
    await stillListens(world);
    mallory.inner(Uint8Array.of(2, 3, 4), { padding: 7 });
    await story.pass(50);
    expect(world.aliceSees.mallory.connection).toBe("none");
    await allIsWell(world);
  });

  it("jumps with his nonces and sends packets again", async () => {
    await arrive(world);
    const { story, mallory, alice } = world;
    const copies: Uint8Array[] = [];
    const transmit = mallory.transmit.bind(mallory);
    mallory.transmit = (bytes) => {
      copies.push(bytes.slice());
      transmit(bytes);
    };
    for (const skip of [1, 255, 16383, 16384, 21844, 21844, 21844, 21844, 0]) {
      mallory.inner(Uint8Array.of(200, 1), { skip });
      mallory.inner(Uint8Array.of(200, 2));
      await story.pass(10);
    }
    mallory.transmit = transmit;
    for (let round = 0; round < 20; round++) for (const copy of copies) mallory.transmit(copy);
    await story.pass(100);
    expect(alice.heard.all("packet").length).toBe(18);
    expect(dropsOf(world, "cryptoData.replayed") + dropsOf(world, "cryptoData.forged")).toBe(20 * 18);
    await stillListens(world);
    mallory.inner(Uint8Array.of(200, 3), { skip: 60_000 }); // too far: now he is out of step himself
    await story.pass(50);
    expect(alice.heard.all("packet").length).toBe(18);
    await allIsWell(world);
  });

  it("asks for packets again and again", async () => {
    const { story, mallory, aliceSees } = world;
    story.universe.network.setDefaultLink({ latency: [0.2, 0.2] }); // where round trips restrain him least
    await arrive(world);
    for (let i = 0; i < 1000; i++) aliceSees.mallory.send("m".repeat(1300));
    const before = { ...mallory.traffic };
    const deaf = mallory.received; // he has no packet from here on, he says
    mallory.inner(Uint8Array.of(1), { bufferStart: deaf });
    const all = new Uint8Array(60).fill(1, 1);
    all[0] = 1;
    for (let i = 0; i < 10_000; i++) {
      mallory.inner(all, { bufferStart: deaf });
      await story.pass(0.5);
    }
    const sent = mallory.traffic.sentBytes - before.sentBytes;
    const received = mallory.traffic.receivedBytes - before.receivedBytes;
    expect(received / sent).toBeLessThan(1);
    for (const bytes of [[], [0], [255], new Uint8Array(1372), new Uint8Array(1372).fill(255)]) {
      for (let i = 0; i < 100; i++) mallory.request(Uint8Array.from(bytes));
    }
    await story.pass(100);
    mallory.acknowledges = true;
    await stillListens(world);
    await allIsWell(world);
  });

  it("leaves a gap that is asked for in vain", async () => {
    await arrive(world);
    const { story, mallory } = world;
    const before = mallory.traffic.receivedPackets;
    mallory.inner(Uint8Array.of(200), { number: mallory.number + 0x8000 });
    await story.pass(20_000);
    expect(mallory.traffic.receivedPackets - before).toBeLessThan(50);
    const trickle = { ...mallory.traffic };
    for (let i = 0; i < 2000; i++) {
      mallory.inner(Uint8Array.of(160), { number: mallory.number + 5 });
      await story.pass(1);
    }
    const sent = mallory.traffic.sentBytes - trickle.sentBytes;
    expect((mallory.traffic.receivedBytes - trickle.receivedBytes) / sent).toBeLessThan(3);
    await stillListens(world);
    await allIsWell(world);
  });

  it("fills the receive window behind a gap", async () => {
    await arrive(world);
    const { story, mallory, alice } = world;
    const body = new Uint8Array(1373).fill(160);
    const first = mallory.number;
    const window = 0x8000;
    for (let ahead = 1; ahead < window; ahead++) {
      mallory.inner(body, { number: first + ahead });
      if (ahead % 500 === 0) await story.pass(1);
    }
    await story.pass(100);
    expect(dropsOf(world, "cryptoData.table-full")).toBeGreaterThan(1000);
    // who sends what is asked for gets everything through all the same
    mallory.inner(body, { number: first });
    for (let round = 0; round < 200 && alice.heard.all("packet").length < window; round++) {
      await story.pass(20);
      const start = mallory.heard.at(-1)?.bufferStart ?? first;
      for (let number = start; number < Math.min(start + 1000, first + window); number++)
        mallory.inner(body, { number });
    }
    await story.pass(100);
    expect(alice.heard.all("packet").length).toBe(window);
    mallory.number = first + window;
    await stillListens(world);
    await allIsWell(world);
  });

  it("floods with lossy packets", async () => {
    await arrive(world);
    const { story, mallory, alice } = world;
    for (let i = 0; i < 10_000; i++) {
      mallory.lossy(192 + (i % 63), new Uint8Array(i % 1373));
      if (i % 1000 === 0) await story.pass(1);
    }
    await story.pass(100);
    expect(dropsOf(world, "friendPacket.unknown-id")).toBeGreaterThan(700); // 194, 195 and 197 to 199
    expect(dropsOf(world, "call.unsolicited")).toBeGreaterThan(300); // sound and pictures without a call
    expect(alice.heard.all("packet").every(({ bytes, lossless }) => (bytes[0] ?? 0) >= 200 && !lossless)).toBe(true);
    await stillListens(world);
    await allIsWell(world);
  });
});
