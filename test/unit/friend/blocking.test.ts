import { describe, expect, it } from "vitest";
import { memoryStore } from "../../../src/env/memory_store.ts";
import type { Store } from "../../../src/env/store.ts";
import { MAX_BLOCKED } from "../../../src/friend/block_list.ts";
import { MemoryLogger } from "../../../src/testing/memory_logger.ts";
import { toHex } from "../../../src/util/bytes.ts";
import { utf8 } from "../../../src/util/text.ts";
import { encodeFriendRequestData } from "../../../src/wire/friend/friend_request.ts";
import { LegacyPeer } from "./legacy_peer.ts";
import { codeOf, type Person, World } from "./world.ts";

async function two(store: Store = memoryStore()) {
  const world = new World();
  const [a, b] = [await world.person("a", store), await world.person("b")];
  const [toB, toA] = await world.befriend(a, b);
  return { world, a, b, toB, toA };
}

const ask = (person: Person, from: Person, nospam = 7) =>
  person.finder.requestHandler?.(from.publicKey, encodeFriendRequestData({ nospam, message: utf8("let me in") }));

describe("a blocked friend", () => {
  it("sees us leave, as if we had removed him, and nothing of him arrives", async () => {
    const { world, a, b, toB, toA } = await two();
    const heard: string[] = [];
    a.friends.on("friendConnection", ({ state }) => heard.push(state));
    a.friends.on("message", ({ text }) => heard.push(text));
    toB.blocked = true;
    expect([toB.blocked, toB.connection, heard]).toEqual([true, "none", ["none"]]);
    await world.run(100);
    expect(toA.connection).toBe("none");
    const waiting = toA.send("do you hear me?");
    b.friends.selfName = "new name";
    await world.run(600_000);
    expect([toA.connection, waiting.state, toB.name, heard]).toEqual(["none", "queued", "", ["none"]]);
    expect(a.finder.knows(b.publicKey)).toBe(false); // he is not told our DHT key
    expect(codeOf(() => toB.sendPacket(Uint8Array.of(160)))).toBe("friend-offline");
  });

  it("is a friend as before when he is let in again, and what waited on both sides arrives in order", async () => {
    const { world, a, b, toB, toA } = await two();
    const texts: string[] = [];
    for (const person of [a, b]) person.friends.on("message", ({ text }) => texts.push(text));
    toB.blocked = true;
    await world.run(100);
    const sent = ["one", "two"].map((text) => toB.send(text));
    const back = toA.send("three");
    await world.run(60_000);
    expect([texts, toB.queued]).toEqual([[], 2]);
    toB.blocked = false;
    toB.blocked = false;
    await world.run(60_000);
    expect(toB.connection).toBe("udp");
    expect(texts.filter((text) => text !== "three")).toEqual(["one", "two"]);
    expect(texts).toContain("three");
    expect([...sent, back].map(({ state }) => state)).toEqual(["delivered", "delivered", "delivered"]);
  });

  it("can be blocked and let in from within the event that tells of it", async () => {
    const { world, a, toB } = await two();
    let times = 0;
    a.friends.on("friendConnection", ({ friend, state }) => {
      if (state === "none" && times++ < 3) friend.blocked = false;
    });
    toB.blocked = true;
    expect(toB.blocked).toBe(false);
    await world.run(60_000);
    expect(toB.connection).toBe("udp");
  });

  it("stays blocked over a restart, over removal, and when he is added again", async () => {
    const store = memoryStore();
    const { world, a, b, toB, toA } = await two(store);
    toB.blocked = true;
    await a.friends.blockListKept();
    await world.stop(a, "crash");
    const again = await world.person("a", store);
    const friend = again.friends.addWithoutRequest(b.publicKey);
    await world.run(60_000);
    expect([friend.blocked, friend.connection, toA.connection]).toEqual([true, "none", "none"]);
    friend.remove();
    expect(codeOf(() => Object.assign(friend, { blocked: false }))).toBe("unknown-friend");
    const third = again.friends.addWithoutRequest(b.publicKey);
    await world.run(60_000);
    expect([third.blocked, toA.connection]).toEqual([true, "none"]);
    again.friends.block(b.publicKey, false);
    await world.run(60_000);
    expect([third.blocked, third.connection]).toEqual([false, "udp"]);
  });

  it("gets no request of ours that has not left yet, until he is let in", async () => {
    const world = new World();
    const [a, b] = [await world.person("a"), await world.person("b")];
    a.friends.block(b.publicKey, true);
    const toB = a.friends.add(b.friends.id, "hello");
    await world.run(60_000);
    expect(a.finder.requests).toEqual([]);
    b.friends.on("friendRequest", (request) => request.accept());
    toB.blocked = false;
    await world.run(1000);
    expect(toB.connection).toBe("udp");
  });

  it("of toxcore sees us offline as well", async () => {
    const world = new World();
    const a = await world.person("a");
    const peer = new LegacyPeer(world, "peer");
    const friend = a.friends.addWithoutRequest(peer.publicKey);
    await world.run(500);
    expect([friend.connection, peer.online]).toEqual(["udp", true]);
    friend.blocked = true;
    await world.run(500);
    expect([peer.online, peer.session]).toEqual([false, undefined]);
    peer.say("still there?");
    await world.run(60_000);
    expect(peer.session).toBeUndefined();
  });
});

describe("a blocked stranger", () => {
  it("asks in vain, and is heard again when he is let in", async () => {
    const world = new World();
    const [a, b] = [await world.person("a"), await world.person("b")];
    const requests: string[] = [];
    a.friends.on("friendRequest", ({ publicKey }) => requests.push(publicKey));
    ask(a, b);
    expect(requests.length).toBe(1);
    a.friends.block(toHex(b.publicKey).toLowerCase(), true);
    for (let i = 0; i < 3; i++) ask(a, b);
    expect([requests.length, a.metrics.get("drop.friendRequest.blocked")]).toEqual([1, 3]);
    expect(a.friends.welcomes(b.publicKey)).toBe(false);
    a.friends.block(b.publicKey, false);
    ask(a, b);
    expect(requests.length).toBe(2);
  });
});

describe("the block list", () => {
  it("is in the order in which people were blocked, bounded, and knows what is no key", async () => {
    const world = new World();
    const { friends, publicKey } = await world.person("a");
    const key = (i: number) =>
      new Uint8Array(32)
        .fill(1)
        .with(0, i & 0xff)
        .with(1, i >> 8);
    for (let i = 0; i < MAX_BLOCKED; i++) friends.block(key(i), true);
    friends.block(key(7), true);
    expect(codeOf(() => friends.block(key(MAX_BLOCKED), true))).toBe("block-list-full");
    friends.block(key(0), false);
    friends.block(key(MAX_BLOCKED), true);
    expect(friends.blocked().map(toHex)).toEqual(Array.from({ length: MAX_BLOCKED }, (_, i) => toHex(key(i + 1))));
    expect(codeOf(() => friends.block(publicKey, true))).toBe("own-id");
    expect(codeOf(() => friends.block("1234", true))).toBe("invalid-argument");
    await friends.close();
    expect(codeOf(() => friends.block(key(3), false))).toBe("closed");
  });

  it("is written as it is in the end, whatever changes while it is written", async () => {
    const world = new World();
    const store = memoryStore();
    const { friends } = await world.person("a", store);
    for (let i = 0; i < 50; i++) friends.block(world.keys(`${i}`).publicKey, true);
    for (let i = 1; i < 50; i++) friends.block(world.keys(`${i}`).publicKey, false);
    await friends.close();
    const again = await world.person("a", store);
    expect(again.friends.blocked()).toEqual([world.keys("0").publicKey]);
  });

  it("holds in memory where the store fails, and is written when it works again", async () => {
    const world = new World();
    const store = memoryStore();
    const write = store.write.bind(store);
    let full = true;
    store.write = (name, bytes) => (full ? Promise.reject(new Error("disk full")) : write(name, bytes));
    const { friends } = await world.person("a", store);
    friends.block(world.keys("b").publicKey, true);
    await friends.blockListKept();
    expect(friends.blocked().length).toBe(1);
    full = false;
    await friends.close();
    expect((await store.read("blocked"))?.length).toBe(33);
  });

  it("keeps what is left of a damaged record, and says so", async () => {
    const store = memoryStore();
    const key = new World().keys("b").publicKey;
    await store.write("blocked", Uint8Array.of(1, ...key, 5, 5));
    const logger = new MemoryLogger();
    const { friends } = await new World(1, logger).person("a", store);
    expect(friends.blocked()).toEqual([key]);
    expect(logger.lines.map(({ level }) => level)).toEqual(["error"]);
  });
});
