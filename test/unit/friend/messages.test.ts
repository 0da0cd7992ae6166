import { describe, expect, it } from "vitest";
import { memoryStore } from "../../../src/env/memory_store.ts";
import type { Friend } from "../../../src/friend/friend.ts";
import type { Message } from "../../../src/friend/message.ts";
import { readU64 } from "../../../src/util/bytes.ts";
import { utf8 } from "../../../src/util/text.ts";
import { encodeHandled, encodeHello, encodeMessageFragment } from "../../../src/wire/friend/extension.ts";
import { CuttableStore } from "../../support/chaos/cuttable_store.ts";
import { withSilentPeer } from "./legacy_peer.ts";
import { codeOf, type Person, World } from "./world.ts";

function textsOf(person: Person): string[] {
  const texts: string[] = [];
  person.friends.on("message", ({ text, action }) => texts.push(action ? `* ${text}` : text));
  return texts;
}

async function two() {
  const world = new World();
  const [a, b] = [await world.person("a"), await world.person("b")];
  const [toB, toA] = await world.befriend(a, b);
  return { world, a, b, toB, toA };
}

describe("sending", () => {
  it("refuses what no client would take", async () => {
    const { toB } = await two();
    expect(codeOf(() => toB.send(""))).toBe("message-empty");
    expect(codeOf(() => toB.send(`${"ä".repeat(686)}b`))).toBe("message-too-long");
    expect(toB.queued).toBe(0);
  });

  it("delivers the longest message, as one", async () => {
    const { world, b, toB } = await two();
    const texts = textsOf(b);
    const longest = "ä".repeat(686);
    const message = toB.send(longest, { action: true });
    expect([message.text, message.action, message.state]).toEqual([longest, true, "sent"]);
    await world.run(200);
    expect(texts).toEqual([`* ${longest}`]);
    expect(message.state).toBe("delivered");
    expect(await message.delivered).toBe("delivered");
  });

  it("keeps messages until the friend comes, shows them as queued, and can take them back", async () => {
    const world = new World();
    const a = await world.person("a");
    const toB = a.friends.addWithoutRequest(world.keys("b").publicKey);
    const messages = ["one", "two", "three"].map((text) => toB.send(text));
    await Promise.all(messages.map(({ stored }) => stored));
    expect(toB.outbox()).toEqual(messages);
    expect(new Set(messages.map(({ id }) => id)).size).toBe(3);
    expect(messages[0]?.id).toMatch(/^[0-9A-F]{16}$/);
    expect(messages[1]?.cancel()).toBe(true);
    expect(messages[1]?.cancel()).toBe(false);
    expect(await messages[1]?.delivered).toBe("cancelled");
    expect(toB.queued).toBe(2);
    const b = await world.person("b");
    const texts = textsOf(b);
    b.friends.addWithoutRequest(a.publicKey);
    await world.run(1000);
    expect(texts).toEqual(["one", "three"]);
    expect(toB.queued).toBe(0);
  });

  it("bounds what waits for one friend", async () => {
    const world = new World();
    const a = await world.person("a");
    const toB = a.friends.addWithoutRequest(world.keys("b").publicKey);
    for (let i = 0; i < 65_536; i++) toB.send("x");
    expect(codeOf(() => toB.send("x"))).toBe("queue-full");
    toB.outbox()[5]?.cancel();
    toB.send("x");
    expect(toB.queued).toBe(65_536);
  });

  it("takes back what a broken session may have carried, and not what is under way", async () => {
    const { world, toB } = await two();
    const message = toB.send("hello");
    expect(message.state).toBe("sent");
    expect(message.cancel()).toBe(false);
    world.breakAll();
    await world.run(0);
    expect(message.state).toBe("queued");
    expect(message.cancel()).toBe(true);
    await world.run(1000);
    expect(message.state).toBe("cancelled");
  });

  it("skips a message that was taken back with only its first piece sent", async () => {
    const world = new World();
    world.link.queueLimit = 3;
    const [a, b] = [await world.person("a"), await world.person("b")];
    const texts = textsOf(b);
    const [toB] = await world.befriend(a, b);
    await world.run(1000);
    toB.send("1");
    toB.send("2");
    const long = toB.send("x".repeat(1372));
    const after = toB.send("y".repeat(1372));
    expect(long.state).toBe("queued");
    expect(long.cancel()).toBe(true);
    await world.run(1000);
    expect(texts).toEqual(["1", "2", "y".repeat(1372)]);
    expect(after.state).toBe("delivered");
  });

  it("gets through a flood", async () => {
    const { world, b, toB } = await two();
    let next = 0;
    let inOrder = true;
    b.friends.on("message", ({ text }) => {
      inOrder &&= text === String(next++);
    });
    for (let i = 0; i < 5000; i++) toB.send(String(i));
    world.link.queueLimit = 2000;
    await world.run(60_000);
    expect([next, inOrder, toB.queued]).toEqual([5000, true, 0]);
  });
});

describe("delivered", () => {
  it("comes when the listeners are done, in order", async () => {
    const { world, b, toB } = await two();
    const done: (() => void)[] = [];
    b.friends.on("message", () => new Promise<void>((resolve) => done.push(resolve)));
    const [first, second, third] = ["1", "2", "3"].map((text) => toB.send(text)) as [Message, Message, Message];
    await world.run(1000);
    expect(done.length).toBe(3); // shown at once, each
    done[1]?.();
    await world.run(1000);
    expect([first.state, second.state]).toEqual(["sent", "sent"]);
    done[0]?.();
    await world.run(1000);
    expect([first.state, second.state, third.state]).toEqual(["delivered", "delivered", "sent"]);
  });

  it("comes though a listener fails", async () => {
    const { world, b, toB } = await two();
    b.friends.on("message", () => {
      throw new Error("no");
    });
    b.friends.on("message", () => Promise.reject(new Error("no")));
    const message = toB.send("hello");
    await world.run(1000);
    expect(message.state).toBe("delivered");
  });

  it("waits for a listener that never ends, which holds up no more than the window", async () => {
    const { world, b, toB } = await two();
    world.link.queueLimit = 10_000;
    let shown = 0;
    b.friends.on("message", () => {
      shown++;
      return new Promise<void>(() => {});
    });
    for (let i = 0; i < 3000; i++) toB.send("x");
    await world.run(10_000);
    expect(shown).toBe(1024);
    world.breakAll();
    await world.run(10_000);
    expect([shown, toB.queued]).toEqual([1024, 3000]);
  });

  it("is known from the hello when the answer was lost", async () => {
    const { world, a, b, toB } = await two();
    const message = toB.send("hello");
    await world.run(20);
    const packets: number[][] = [];
    b.friends.on("message", () => expect.unreachable());
    world.breakAll();
    world.link.onSent = (owner, packet) => {
      if (owner === a.publicKey && packet[0] === 150) packets.push([...packet.subarray(0, 2)]);
    };
    await world.run(1000);
    expect(message.state).toBe("delivered");
    expect(packets.filter(([, subtype]) => subtype === 1)).toEqual([]); // not sent again
  });

  it("is answered at once after a pause, and together in a flood", async () => {
    const { world, b, toB } = await two();
    world.link.queueLimit = 10_000;
    let answers = 0;
    world.link.onSent = (owner, packet) => {
      if (owner === b.publicKey && packet[0] === 150 && packet[1] === 2) answers++;
    };
    world.link.minDelay = world.link.maxDelay = 10;
    const start = world.timeline.now;
    let deliveredAt = 0;
    void toB.send("ping").delivered.then(() => {
      deliveredAt = world.timeline.now;
    });
    await world.run(1000);
    expect([deliveredAt - start, answers]).toEqual([20, 1]);
    for (let i = 0; i < 1000; i++) toB.send("x");
    await world.run(1000);
    expect(toB.queued).toBe(0);
    expect(answers).toBeLessThanOrEqual(1 + Math.ceil(1000 / 64) + 2);
  });
});

describe("the journal", () => {
  it("gives no number twice, though what was sent last is never written down, crash after crash", async () => {
    const world = new World();
    let store = new CuttableStore(memoryStore());
    const b = await world.person("b", memoryStore());
    const texts = textsOf(b);
    const sent: string[] = [];
    const send = (toB: Friend, text: string) => {
      sent.push(text);
      return toB.send(text);
    };
    const first = await world.person("a", store);
    const [toB] = await world.befriend(first, b);
    world.breakAll();
    send(toB, "waits, and keeps the epoch alive");
    let person = first;
    let kept = store.cut();
    for (let crash = 0; crash < 3; crash++) {
      await world.stop(person, "crash");
      store = kept;
      person = await world.person("a", store);
      const again = person.friends.addWithoutRequest(b.publicKey);
      await world.run(1);
      kept = store.cut();
      for (let i = 0; i < 5; i++) send(again, `lost by the store ${crash}.${i}`);
      await world.run(60_000);
    }
    expect(texts).toEqual(sent);
  });

  it("has noted that a message is handled before the friend is told so", async () => {
    const world = new World();
    const store = new CuttableStore(memoryStore());
    const a = await world.person("a", memoryStore());
    const b = await world.person("b", store);
    const [toB] = await world.befriend(a, b);
    const kept = store.cut();
    const ids: (string | undefined)[] = [];
    b.friends.on("message", ({ id }) => ids.push(id));
    const message = toB.send("handled, and not noted");
    await world.run(200);
    expect(message.state).toBe("sent");
    await world.stop(b, "crash");
    const again = await world.person("b", kept);
    const texts = textsOf(again);
    again.friends.on("message", ({ id }) => ids.push(id));
    again.friends.addWithoutRequest(a.publicKey);
    await world.run(60_000);
    expect([ids.length, new Set(ids).size]).toEqual([2, 1]); // by which the app can know it
    expect([texts, message.state]).toEqual([["handled, and not noted"], "delivered"]);
  });

  it("brings waiting messages back, with their ids, and forgets delivered ones", async () => {
    const world = new World();
    const store = memoryStore();
    const first = await world.person("a", store);
    const key = world.keys("b").publicKey;
    const toFirst = first.friends.addWithoutRequest(key);
    const ids = ["one", "two ünï"].map((text) => toFirst.send(text, { action: true }).id);
    await world.stop(first, "crash");
    const second = await world.person("a", store);
    const toB = second.friends.addWithoutRequest(key);
    expect(toB.outbox().map(({ id, text, action, state }) => [id, text, action, state])).toEqual([
      [ids[0], "one", true, "queued"],
      [ids[1], "two ünï", true, "queued"],
    ]);
    const delivered: string[] = [];
    second.friends.on("delivered", ({ message }) => delivered.push(message.id));
    const b = await world.person("b");
    const texts = textsOf(b);
    b.friends.addWithoutRequest(second.publicKey);
    await world.run(1000);
    expect(texts).toEqual(["* one", "* two ünï"]);
    expect(delivered).toEqual(ids);
    await world.stop(second, "crash");
    const third = await world.person("a", store);
    expect(third.friends.addWithoutRequest(key).queued).toBe(0);
  });

  it("does not grow with what is over, and loses nothing when it is rewritten", async () => {
    const world = new World();
    const store = memoryStore();
    await store.append(Uint8Array.of(77, 1, 2)); // somebody else's
    const a = await world.person("a", store);
    const orphan = world.keys("orphan").publicKey;
    a.friends.addWithoutRequest(orphan).send("for later");
    await world.stop(a);
    const again = await world.person("a", store);
    const toB = again.friends.addWithoutRequest(world.keys("b").publicKey);
    const kept: Message[] = [];
    for (let i = 0; i < 6000; i++) {
      const message = toB.send(`${i}`);
      if (i % 1000 === 999) kept.push(message);
      else message.cancel();
    }
    await world.run(1);
    const entries = await store.readJournal();
    expect(entries.length).toBeLessThan(5000);
    expect(entries.filter(([tag]) => tag === 77)).toEqual([Uint8Array.of(77, 1, 2)]);
    await world.stop(again, "crash");
    const last = await world.person("a", store);
    const outbox = last.friends.addWithoutRequest(world.keys("b").publicKey).outbox();
    expect(outbox.map(({ id, text }) => [id, text])).toEqual(kept.map(({ id, text }) => [id, text]));
    expect(
      last.friends
        .addWithoutRequest(orphan)
        .outbox()
        .map(({ text }) => text),
    ).toEqual(["for later"]);
  });

  it("has all that waits when the instance is closed in the midst of it", async () => {
    const world = new World();
    const store = memoryStore();
    const a = await world.person("a", store);
    const toB = a.friends.addWithoutRequest(world.keys("b").publicKey);
    for (let i = 0; i < 5000; i++) toB.send(`${i}`).cancel();
    for (let i = 0; i < 100; i++) toB.send(`${i}`);
    await world.stop(a);
    const again = await world.person("a", store);
    expect(again.friends.addWithoutRequest(world.keys("b").publicKey).queued).toBe(100);
  });

  it("is not written anew for what waits, only for what is over", async () => {
    const world = new World();
    const store = memoryStore();
    let rewritten = 0;
    const rewriteJournal = store.rewriteJournal.bind(store);
    store.rewriteJournal = (entries) => {
      rewritten += entries.length;
      return rewriteJournal(entries);
    };
    const a = await world.person("a", store);
    const toB = a.friends.addWithoutRequest(world.keys("b").publicKey);
    const messages = Array.from({ length: 20_000 }, () => toB.send("x"));
    await world.run(0);
    expect(rewritten).toBe(0);
    for (const message of messages) message.cancel();
    await world.run(0);
    expect(rewritten).toBeLessThan(20_000);
    for (let i = 0; i < 20_000; i++) toB.send("x").cancel();
    await world.run(0);
    expect((await store.readJournal()).length).toBeLessThan(8192);
    expect(rewritten).toBeLessThan(20_000);
  });

  it("survives torn entries", async () => {
    const world = new World();
    const store = memoryStore();
    for (const entry of [[], [1], [1, 1], [1, 1, ...Array(40).fill(0)], [1, 9, ...Array(48).fill(0)]]) {
      await store.append(Uint8Array.from(entry));
    }
    const a = await world.person("a", store);
    expect(a.friends.list()).toEqual([]);
  });

  it("reports a store that fails, and goes on", async () => {
    const world = new World();
    const store = Object.assign(memoryStore(), { append: () => Promise.reject(new Error("disk full")) });
    const a = await world.person("a", store);
    const message = a.friends.addWithoutRequest(world.keys("b").publicKey).send("x");
    await expect(message.stored).rejects.toThrow("disk full");
    expect(message.state).toBe("queued");
    await a.friends.close();
  });
});

describe("a hostile peer of ours", () => {
  const hello = encodeHello({ version: 9, capabilities: 0xffff_ffff });

  it("cannot have messages counted as delivered that were never sent to him", async () => {
    const { world, peer, friend } = await withSilentPeer();
    world.link.queueLimit = 10_000;
    peer.send(24);
    peer.send(...hello);
    for (let i = 0; i < 2000; i++) friend.send("x");
    await world.run(100);
    const epoch = readU64(peer.packets.find((packet) => packet[0] === 150 && packet[1] === 1) ?? new Uint8Array(10), 2);
    peer.send(...encodeHandled({ epoch: epoch + 1n, sequence: 2000n }));
    await world.run(100);
    expect(friend.queued).toBe(2000);
    peer.send(...encodeHandled({ epoch, sequence: 2000n }));
    await world.run(100);
    expect(friend.queued).toBe(2000 - 1024);
  });

  it("cannot flood a slow app without bound", async () => {
    const { world, a, peer } = await withSilentPeer();
    world.link.queueLimit = 10_000;
    let shown = 0;
    a.friends.on("message", () => {
      shown++;
      return new Promise<void>(() => {});
    });
    peer.send(24);
    peer.send(...hello);
    for (let i = 1; i <= 6000; i++) peer.send(...fragment(1n, BigInt(i), "x"));
    await world.run(100);
    expect(shown).toBe(4096);
    expect(a.metrics.get("drop.friendPacket.rate-limited")).toBe(1);
  });

  it("cannot make a message longer than a message, nor mix pieces", async () => {
    const { world, a, peer } = await withSilentPeer();
    const texts = textsOf(a);
    peer.send(24);
    peer.send(...hello);
    const piece = (sequence: number, text: string, more = false) =>
      peer.send(...fragment(5n, BigInt(sequence), text, more));
    piece(1, "a".repeat(1300), true);
    piece(1, "b".repeat(73)); // too long by one
    piece(2, "c".repeat(1300), true);
    piece(3, "d");
    piece(4, "e", true);
    piece(4, "f", true);
    piece(4, "g");
    piece(4, "again");
    piece(3, "old");
    piece(9, "gap");
    await world.run(200);
    expect(texts).toEqual(["d", "efg", "gap"]);
    peer.send(...fragment(6n, 1n, "a new epoch"));
    await world.run(200);
    expect(texts.at(-1)).toBe("a new epoch");
  });

  it("gets no answer for an epoch that he has given up", async () => {
    const { world, a, peer } = await withSilentPeer();
    const done: (() => void)[] = [];
    a.friends.on("message", () => new Promise<void>((resolve) => done.push(resolve)));
    peer.send(24);
    peer.send(...hello);
    peer.send(...fragment(1n, 5n, "old"));
    peer.send(...fragment(2n, 1n, "new"));
    await world.run(100);
    done[0]?.();
    await world.run(100);
    const answers = () => peer.packets.filter((packet) => packet[0] === 150 && packet[1] === 2);
    expect(answers()).toEqual([]);
    done[1]?.();
    await world.run(100);
    expect(answers()).toEqual([encodeHandled({ epoch: 2n, sequence: 1n })]);
  });
});

function fragment(epoch: bigint, sequence: bigint, text: string, more = false): Uint8Array {
  return encodeMessageFragment({ epoch, sequence, action: false, more, text: utf8(text) });
}
