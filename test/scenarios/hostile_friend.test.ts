import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Friend } from "../../src/core.ts";
import { asPublicKey } from "../../src/crypto/keys.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import { MemoryLogger, memoryStore, SeededRandom } from "../../src/testing/index.ts";
import { concatBytes, fromHex, readU64, toHex, writeU32 } from "../../src/util/bytes.ts";
import { makeEndpoint } from "../../src/util/endpoint.ts";
import { randomBytes } from "../../src/util/random_numbers.ts";
import { utf8 } from "../../src/util/text.ts";
import {
  encodeHandled,
  encodeHello,
  encodeMessageFragment,
  type MessageMark,
} from "../../src/wire/friend/extension.ts";
import { HELLO, HostileFriend } from "../support/hostile_friend.ts";
import { type Person, Story } from "../support/people.ts";

/** Alice, whose friends are Bob, who is honest and online, and Mallory, who keeps no rule. */
interface World extends AsyncDisposable {
  readonly story: Story;
  readonly alice: Person;
  readonly bob: Person;
  readonly logger: MemoryLogger;
  /** How many entries Alice's store was given. */
  readonly journal: { entries: number };
  readonly mallory: HostileFriend;
  readonly bobSees: Friend;
  readonly aliceSees: { readonly bob: Friend; readonly mallory: Friend };
}

async function meet(seed = 1): Promise<World> {
  const story = new Story({ seed, link: { latency: [5, 5] } });
  const logger = new MemoryLogger();
  const journal = { entries: 0 };
  const store = memoryStore();
  const append = store.append.bind(store);
  store.append = (entry) => {
    journal.entries++;
    return append(entry);
  };
  const alice = await story.person("Alice", { host: { logger }, store, statusMessage: "s".repeat(1000) });
  const bob = await story.person("Bob");
  const [aliceSeesBob, bobSees] = await story.befriend(alice, bob);
  const victim = {
    endpoint: alice.host.endpoint(alice.tox.udpPort),
    publicKey: keyOf(alice.tox.publicKey),
    dhtPublicKey: keyOf(alice.tox.dhtPublicKey),
  };
  const { edges } = story.universe.host("Mallory");
  const mallory = await HostileFriend.bind({ edges, provider: sodiumProvider, victim });
  const aliceSeesMallory = await alice.tox.addFriendWithoutRequest(toHex(mallory.self.publicKey));
  const aliceSees = { bob: aliceSeesBob, mallory: aliceSeesMallory };
  const dispose = () => story[Symbol.asyncDispose]();
  return { story, alice, bob, logger, journal, mallory, bobSees, aliceSees, [Symbol.asyncDispose]: dispose };
}

const keyOf = (hex: string) => fromHex(hex) as never;

/** Mallory opens a session and says that he is there. */
async function arrive({ story, mallory, aliceSees }: World, hello: typeof HELLO | null = HELLO): Promise<void> {
  mallory.connect();
  await story.until("a session", () => mallory.established);
  mallory.lossless(24);
  if (hello) mallory.lossless(encodeHello(hello));
  await story.until("Mallory online", () => aliceSees.mallory.connection === "udp");
  await story.pass(50);
}

/** The session lives and is in order: what Mallory says now is heard. */
async function stillListens({ story, alice, mallory, aliceSees }: World): Promise<void> {
  mallory.lossless(64, utf8("still there?"));
  await story.hears(
    alice,
    "message",
    ({ friend, text }) => friend === aliceSees.mallory && text === "still there?",
    5000,
  );
}

/** Nothing has failed, Bob never noticed, and with an honest Mallory there is a conversation as with anybody. */
async function allIsWell(world: World): Promise<void> {
  const { story, alice, bob, logger, mallory, bobSees, aliceSees } = world;
  expect(bob.heard.all("friendConnection").filter(({ state }) => state === "none")).toEqual([]);
  await talk(story, [bob, bobSees], [alice, aliceSees.bob]);
  mallory.close();
  const secretKey = mallory.self.secretKey;
  const honest = await story.person(`Mallory, honest, ${story.people.length}`, { secretKey });
  const honestSees = await honest.tox.addFriendWithoutRequest(alice.tox.publicKey);
  const both = () => honestSees.connection === "udp" && aliceSees.mallory.connection === "udp";
  await story.until("an honest session", both, 120_000);
  await talk(story, [honest, honestSees], [alice, aliceSees.mallory]);
  await story.pass(2000);
  expect(logger.lines.filter(({ level }) => level === "error")).toEqual([]);
  expect(alice.host.edges.clock.pending).toBeLessThan(120);
}

let said = 0;

async function talk(story: Story, [one, oneSees]: [Person, Friend], [other, otherSees]: [Person, Friend]) {
  const [text, answer] = [`hello ${++said}`, `and to you ${said}`];
  const sent = [oneSees.send(text), otherSees.send(answer)];
  await story.hears(other, "message", (event) => event.friend === otherSees && event.text === text, 10_000);
  await story.hears(one, "message", (event) => event.friend === oneSees && event.text === answer, 10_000);
  await story.until("delivery", () => sent.every(({ state }) => state === "delivered"), 10_000);
}

const dropsOf = ({ alice }: World, name: string): number => alice.host.edges.metrics.get(`drop.${name}`);

describe("a hostile friend", () => {
  let world: World;

  beforeEach(async () => {
    world = await meet();
  });

  afterEach(async () => {
    await world[Symbol.asyncDispose]();
  });

  describe("in the session", () => {
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
      expect(dropsOf(world, "friendPacket.unknown-id")).toBeGreaterThan(1000);
      expect(alice.heard.all("packet").every(({ bytes, lossless }) => (bytes[0] ?? 0) >= 200 && !lossless)).toBe(true);
      await stillListens(world);
      await allIsWell(world);
    });
  });

  describe("with handshakes", () => {
    it("begins and kills sessions without end", async () => {
      const { story, mallory, alice, aliceSees } = world;
      await arrive(world);
      const [before, sessionsBefore] = [alice.heard.all("friendConnection").length, established(world)];
      for (let i = 0; i < 1000; i++) {
        mallory.kill();
        await story.pass(1);
        mallory.handshake();
        await story.pass(11);
        mallory.goOnline();
        if (i % 200 === 0) mallory.connect(); // for another cookie
      }
      await story.pass(1000);
      expect(established(world) - sessionsBefore).toBeLessThan(40);
      expect(alice.heard.all("friendConnection").length - before).toBeLessThan(80);
      expect(dropsOf(world, "friendPacket.rate-limited")).toBeGreaterThan(100);
      mallory.forget();
      await story.pass(40_000);
      expect(aliceSees.mallory.connection).toBe("none");
      await allIsWell(world);
    });

    it("sends the same handshake again, and ours back to us", async () => {
      const { story, mallory, alice, aliceSees } = world;
      const ours: Uint8Array[] = [];
      story.universe.network.addFilter((bytes, from) => {
        if (bytes[0] === 0x1a && from === alice.host.endpoint(alice.tox.udpPort)) ours.push(bytes.slice());
        return true;
      });
      await arrive(world);
      const handshake = mallory.lastHandshake as Uint8Array;
      for (let i = 0; i < 1000; i++) mallory.transmit(handshake);
      for (const packet of ours) for (let i = 0; i < 100; i++) mallory.transmit(packet);
      for (let i = 0; i < 100; i++) {
        mallory.transmit(handshake.map((byte, at) => (at === 120 + i ? byte ^ 1 : byte)));
      }
      await story.pass(100);
      expect(aliceSees.mallory.connection).toBe("udp");
      expect(dropsOf(world, "handshake.replayed")).toBeGreaterThanOrEqual(1000);
      expect(dropsOf(world, "handshake.forged")).toBeGreaterThanOrEqual(200);
      await stillListens(world);
      const before = established(world);
      mallory.kill();
      await story.pass(50);
      for (let i = 0; i < 100; i++) mallory.transmit(handshake); // makes a session that nobody can use
      await story.pass(1000);
      expect(established(world)).toBe(before);
      expect(alice.tox.friends.length).toBe(2);
      await allIsWell(world);
    });

    it("never confirms, changes his mind, and names weak keys", async () => {
      const { story, mallory, alice } = world;
      mallory.confirms = false;
      mallory.connect();
      await story.pass(50);
      const before = { ...mallory.traffic };
      for (let i = 0; i < 500; i++) {
        mallory.handshake(); // under the same cookie
        mallory.handshake({ sameKeys: true, sessionKey: new Uint8Array(32) as never });
        await story.pass(1);
      }
      expect(mallory.traffic.receivedBytes - before.receivedBytes).toBeLessThan(
        mallory.traffic.sentBytes - before.sentBytes,
      );
      for (let i = 0; i < 100; i++) {
        mallory.connect();
        await story.pass(20);
      }
      await story.pass(20_000);
      expect(alice.host.edges.metrics.get("drop.cookieRequest.rate-limited")).toBeGreaterThan(10);
      mallory.confirms = true;
      await arrive(world);
      await stillListens(world);
      await allIsWell(world);
    });

    it("has another DHT key every time", async () => {
      const { story, mallory, alice } = world;
      await arrive(world);
      const sent = () => alice.host.edges.metrics.get("udp.sent");
      const before = sent();
      for (let i = 0; i < 2000; i++) {
        mallory.changeDhtKey();
        mallory.announceDhtKey(BigInt(i + 1));
        await story.pass(2);
      }
      expect(sent() - before).toBeLessThan(2000);
      expect(dropsOf(world, "friendPacket.rate-limited")).toBeGreaterThan(1000);
      await story.pass(5000);
      await arrive(world);
      await stillListens(world);
      await allIsWell(world);
    });

    it("names nodes that are somebody else's, to have us write to them", async () => {
      await arrive(world);
      const { story, mallory } = world;
      let sent = 0;
      story.universe.network.addFilter((bytes, _from, to) => {
        if (to.address[0] === 9) sent += bytes.length;
        return true;
      });
      const before = mallory.traffic.sentBytes;
      const { random } = story.universe;
      for (let i = 0; i < 2000; i++) {
        if (i === 1000) mallory.kill();
        const nodes = [1, 2, 3, 4].map((n) => {
          const endpoint = makeEndpoint(Uint8Array.of(9, n, i >> 8, i), 33445);
          return { transport: "udp", endpoint, publicKey: asPublicKey(randomBytes(random, 32)) } as const;
        });
        mallory.announceDhtKey(BigInt(i + 1), nodes);
        await story.pass(2);
      }
      await story.pass(1000);
      expect(sent).toBeLessThan(mallory.traffic.sentBytes - before);
      await story.pass(200_000);
      await allIsWell(world);
    });
  });

  describe("as a friend", () => {
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
      expect(alice.heard.all("message").map(({ text }) => text)).toEqual(
        Array.from({ length: 3000 }, (_, i) => `${i}`),
      );
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

  describe("as one of ours", () => {
    const text = utf8("text");
    const fragment = (mark: MessageMark, more = false, bytes = text) =>
      encodeMessageFragment({ ...mark, action: false, more, text: bytes });
    const mark = (epoch: number | bigint, sequence: number | bigint) => ({
      epoch: BigInt(epoch),
      sequence: BigInt(sequence),
    });
    const MAX = 0xffff_ffff_ffff_ffffn;

    it("says hello twice, late, and with nonsense in it", async () => {
      await arrive(world, null);
      const { story, mallory, alice, aliceSees } = world;
      mallory.acknowledges = true;
      mallory.lossless(16); // a toxcore peer, then
      const plain = aliceSees.mallory.send("plain");
      await story.until("delivery", () => plain.state === "delivered");
      const header = encodeHello(HELLO);
      const hellos = [
        [150],
        [150, 0],
        [150, 0, 1, 0, 0, 0],
        [150, 0, 0, 0, 0, 0, 1],
        [150, 0, 255, 255, 255, 255, 254],
        [...header, 1],
        [...header, 1, 0],
        [...header, 1, 0, 16],
        [...header, 1, 0, 15, ...new Uint8Array(15)],
        [...header, 1, 255, 255, ...new Uint8Array(100)],
        [...header, 9, 0, 0, 9, 0, 0, 9, 4, 0, ...new Uint8Array(1024)],
        [...header, 1, 0, 16, ...new Uint8Array(16).fill(255), 1, 0, 16, ...new Uint8Array(16)],
        [...header, ...new Uint8Array(1365)],
      ];
      for (const hello of hellos) mallory.lossless(Uint8Array.from(hello.slice(0, 1373)));
      await story.pass(50);
      mallory.lossless(header); // and one of ours, after all
      mallory.lossless(header);
      mallory.lossless(fragment(mark(1, 1)));
      await story.pass(50);
      expect(alice.heard.all("message").map((event) => event.text)).toEqual(["text"]);
      const numbered = aliceSees.mallory.send("numbered");
      await story.pass(500);
      expect(numbered.state).toBe("sent"); // his stack has it: that no longer counts
      mallory.lossless(64, text); // one of ours may say this as well
      await stillListens(world);
      await allIsWell(world);
    });

    it("numbers messages as he likes", async () => {
      await arrive(world);
      const { story, mallory, alice } = world;
      const sequences = [0, 1, 1, 3, 2, MAX, MAX, 4];
      for (const sequence of sequences) mallory.lossless(fragment(mark(1, sequence)));
      await story.pass(50);
      expect(alice.heard.all("message").length).toBe(3);
      for (let epoch = 0; epoch < 3000; epoch++) {
        mallory.lossless(fragment(mark(epoch, 1)));
        if (epoch % 100 === 0) await story.pass(1);
      }
      await story.pass(100);
      const entries = world.journal.entries;
      for (let i = 0; i < 3000; i++) {
        mallory.lossless(fragment(mark(2999, 1)));
        if (i % 100 === 0) await story.pass(10);
      }
      await story.pass(100);
      expect(world.journal.entries - entries).toBeLessThan(3);
      expect(alice.heard.all("message").length).toBe(3003);
      expect(dropsOf(world, "friendPacket.replayed")).toBe(3004);
      await stillListens(world);
      await allIsWell(world);
    });

    it("begins messages and never ends them, or makes them too long", async () => {
      await arrive(world);
      const { story, mallory, alice } = world;
      const long = new Uint8Array(1354).fill(65);
      for (let i = 1; i <= 500; i++) mallory.lossless(fragment(mark(1, i), true, long));
      for (let i = 0; i < 2000; i++) mallory.lossless(fragment(mark(2, 1), true, long));
      for (let i = 0; i < 3000; i++) mallory.lossless(fragment(mark(3, 1), true, long.subarray(0, 1)));
      mallory.lossless(fragment(mark(4, 2), true));
      mallory.lossless(fragment(mark(4, 1), false));
      mallory.lossless(fragment(mark(4, 2), false));
      mallory.lossless(150, 1, new Uint8Array(16), 0);
      mallory.lossless(150, 1, new Uint8Array(16).fill(1), 255);
      for (let i = 3; i < 256; i++) mallory.lossless(150, i, long);
      await story.pass(200);
      expect(alice.heard.all("message").map((event) => event.text)).toEqual(["text", "text"]);
      expect(dropsOf(world, "friendPacket.oversized")).toBeGreaterThan(500);
      await stillListens(world);
      await allIsWell(world);
    });

    it("says that he has handled what he never got", async () => {
      await arrive(world);
      const { story, mallory, alice, aliceSees } = world;
      const first = aliceSees.mallory.send("first");
      await story.pass(50);
      const sent = mallory.of(150).find(({ data }) => data[1] === 1)?.data as Uint8Array;
      const epoch = sent.subarray(2, 10);
      const handled = (sequence: number) =>
        concatBytes(Uint8Array.of(150, 2), epoch, new Uint8Array(7), Uint8Array.of(sequence));
      mallory.lossless(encodeHandled(mark(0, 5))); // of nobody's epoch
      mallory.lossless(encodeHandled(mark(MAX, MAX)));
      mallory.lossless(150, 2, epoch, new Uint8Array(8)); // none yet
      mallory.lossless(150, 2, epoch);
      mallory.lossless(150, 2, epoch, new Uint8Array(9));
      await story.pass(50);
      expect(first.state).toBe("sent");
      mallory.lossless(handled(200)); // his to say of himself, for what has been sent …
      await story.pass(50);
      expect(first.state).toBe("delivered");
      expect(alice.heard.all("delivered").length).toBe(1);
      mallory.kill();
      await story.pass(1000);
      const later = [aliceSees.mallory.send("second"), aliceSees.mallory.send("third")];
      mallory.lossless(handled(200));
      await arrive(world, { ...HELLO, handled: { epoch: readU64(epoch, 0), sequence: MAX } }); // … but not of what has not
      await story.pass(50);
      expect(later.map(({ state }) => state)).toEqual(["sent", "sent"]);
      mallory.lossless(handled(2));
      mallory.lossless(handled(1));
      await story.pass(50);
      expect(later.map(({ state }) => state)).toEqual(["delivered", "sent"]);
      mallory.kill();
      await allIsWell(world);
      expect(later.map(({ state }) => state)).toEqual(["delivered", "delivered"]);
      const honest = world.story.people.at(-1);
      expect(honest?.heard.all("message").map((event) => event.text)).toEqual(["third"]);
    });

    it("is removed, or everything is closed, in the middle of what he says", async () => {
      for (const end of ["remove", "close"] as const) {
        await using other = await meet();
        await arrive(other);
        const { story, mallory, alice, aliceSees } = other;
        let shown = 0;
        let closed: Promise<void> | undefined;
        alice.tox.on("message", () => {
          if (++shown !== 5) return;
          if (end === "remove") aliceSees.mallory.remove();
          else closed = alice.tox.close();
        });
        const first = mallory.number;
        for (let i = 1; i < 50; i++) mallory.inner(fragment(mark(1, i + 1)), { number: first + i });
        await story.pass(50);
        mallory.inner(fragment(mark(1, 1)), { number: first }); // and all the others with it
        for (let i = 50; i < 100; i++) mallory.inner(fragment(mark(1, i + 1)), { number: first + i });
        await story.pass(1000);
        if (closed) await story.universe.wait(closed);
        expect(shown).toBe(5);
        expect(mallory.of(2).length).toBe(1);
        if (end === "close") expect(alice.host.edges.clock.pending).toBe(0);
        else await talk(story, [other.bob, other.bobSees], [alice, aliceSees.bob]);
      }
    });

    it("floods an app that never finishes with a message", async () => {
      await arrive(world);
      const { story, mallory, alice, aliceSees } = world;
      let shown = 0;
      const off = alice.tox.on("message", ({ friend }) => {
        if (friend !== aliceSees.mallory) return undefined;
        shown++;
        return new Promise(() => {});
      });
      const before = established(world);
      for (let sequence = 1; sequence <= 10_000; sequence++) {
        if (mallory.of(2).length > 0) {
          mallory.heard.length = 0;
          mallory.handshake();
          await story.pass(20);
          mallory.goOnline();
        }
        mallory.lossless(fragment(mark(1, sequence)));
        if (sequence % 10 === 0) await story.pass(1);
      }
      await story.pass(1000);
      expect(shown).toBe(4096);
      expect(established(world) - before).toBeLessThan(30);
      expect(dropsOf(world, "friendPacket.rate-limited")).toBeGreaterThan(0);
      off();
      mallory.kill();
      await story.pass(40_000);
      await talkPlainly(world);
    });
  });

  it("does anything at all", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.array(deed, { maxLength: 150 }),
        async (seed, deeds) => {
          await using other = await meet(seed);
          const { story, mallory, alice, aliceSees } = other;
          await arrive(other);
          const told: string[] = [];
          for (const [index, deed] of deeds.entries()) {
            if (deed.kind === "told") {
              told.push(`${index}`.padEnd(1 + (deed.number % 1372), "."));
              aliceSees.mallory.send(told.at(-1) as string);
            } else {
              perform(mallory, deed);
            }
            await story.pass(deed.pause);
          }
          mallory.forget();
          await story.pass(35_000);
          await allIsWell(other);
          // he may have said of some that he had them
          const texts =
            story.people
              .at(-1)
              ?.heard.all("message")
              .map(({ text }) => text) ?? [];
          expect(texts).toEqual(told.filter((text) => texts.includes(text)));
          expect(aliceSees.mallory.queued).toBe(0);
          expect(alice.host.edges.metrics.get("netCrypto.sessions")).toBe(2);
        },
      ),
      { numRuns: 30 },
    );
  });
});

const established = ({ alice }: World): number => alice.host.edges.metrics.get("netCrypto.established");

/** For an app that is stuck: what the others say is heard, and Mallory still may come in. */
async function talkPlainly(world: World): Promise<void> {
  const { story, alice, bob, bobSees, aliceSees, mallory } = world;
  await talk(story, [bob, bobSees], [alice, aliceSees.bob]);
  await arrive(world, null);
  await stillListens({ ...world, mallory });
}

interface Deed {
  readonly kind: string;
  readonly id: number;
  readonly body: Uint8Array;
  readonly number: number;
  readonly padding: number;
  readonly skip: number;
  readonly pause: number;
}

const deed: fc.Arbitrary<Deed> = fc.record({
  kind: fc.constantFrom(
    ...["lossless", "lossless", "lossless", "lossless", "lossy", "lies", "lies", "request", "message", "message"],
    ...["handled", "kill", "handshake", "handshake", "connect", "online", "dhtKey", "again", "told", "told"],
  ),
  id: fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(1, 16, 17, 18, 24, 24, 25, 48, 49, 50, 51, 64, 65, 150),
  ),
  body: fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 1340, maxLength: 1372 })),
  number: fc.oneof(fc.integer({ min: -40, max: 40 }), fc.integer({ min: 0, max: 0xffff_ffff })),
  padding: fc.integer({ min: 0, max: 7 }),
  skip: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 300, 20_000),
  pause: fc.constantFrom(0, 0, 0, 1, 12, 200, 3000),
});

function perform(mallory: HostileFriend, { kind, id, body, number, padding, skip }: Deed): void {
  const data = concatBytes(Uint8Array.of(id), body);
  switch (kind) {
    case "lossless":
      mallory.lossless(data);
      break;
    case "lossy":
      mallory.lossy(192 + (id % 63), body);
      break;
    case "lies": {
      const bufferStart = (mallory.received + (id & 1 ? number : 0)) >>> 0;
      mallory.inner(data, { bufferStart, number: (mallory.number + number) >>> 0, padding, skip });
      break;
    }
    case "request":
      mallory.request(body);
      break;
    case "message": {
      const mark = { epoch: BigInt(id >> 6), sequence: BigInt(number >>> 0) };
      mallory.lossless(
        encodeMessageFragment({ ...mark, action: false, more: padding < 2, text: body.subarray(0, 1354) }),
      );
      break;
    }
    case "handled": {
      const sent = mallory.of(150).find((inner) => inner.data[1] === 1);
      const epoch = sent === undefined ? 0n : readU64(sent.data, 2);
      mallory.lossless(encodeHandled({ epoch, sequence: BigInt(number >>> 0) }));
      break;
    }
    case "kill":
      mallory.kill();
      break;
    case "handshake":
      if (mallory.hasCookie) mallory.handshake({ sameKeys: padding < 3 });
      break;
    case "connect":
      mallory.connect();
      break;
    case "online":
      mallory.goOnline();
      break;
    case "dhtKey":
      mallory.changeDhtKey();
      mallory.announceDhtKey(BigInt(number >>> 0));
      mallory.connect();
      break;
    case "again":
      if (mallory.lastHandshake) mallory.transmit(mallory.lastHandshake);
      break;
  }
}
