import { describe, expect, it } from "vitest";
import { memoryStore } from "../../../src/env/memory_store.ts";
import { utf8 } from "../../../src/util/text.ts";
import { encodeHello, encodeMessageFragment } from "../../../src/wire/friend/extension.ts";
import { withSilentPeer } from "./legacy_peer.ts";
import { World } from "./world.ts";

describe("a friend who is removed and added again", () => {
  const talk = async () => {
    const world = new World();
    const store = memoryStore();
    const [a, b] = [await world.person("a", store), await world.person("b")];
    const [toB, toA] = await world.befriend(a, b);
    const texts: string[] = [];
    a.friends.on("message", ({ text }) => void texts.push(text));
    return { world, store, a, b, toB, toA, texts };
  };

  it("loses nothing of what he says, before, meanwhile and afterwards", async () => {
    const { world, a, b, toB, toA, texts } = await talk();
    toA.send("before");
    await world.run(500);
    toB.remove();
    const meanwhile = toA.send("meanwhile");
    await world.run(60_000);
    expect([texts, meanwhile.state]).toEqual([["before"], "queued"]);
    a.friends.addWithoutRequest(b.publicKey);
    await world.run(60_000);
    toA.send("afterwards");
    await world.run(500);
    expect(texts).toEqual(["before", "meanwhile", "afterwards"]);
    expect([meanwhile.state, toA.queued]).toEqual(["delivered", 0]);
  });

  it("says once more what he had not heard to be read when he was removed", async () => {
    const { world, a, b, toB, toA, texts } = await talk();
    a.friends.on("message", () => toB.remove()); // before the answer has left
    toA.send("once");
    await world.run(60_000);
    expect([texts, toA.queued]).toEqual([["once"], 1]);
    a.friends.addWithoutRequest(b.publicKey);
    await world.run(60_000);
    expect([texts, toA.queued]).toEqual([["once", "once"], 0]);
  });

  it("hears ours, though both began to number anew", async () => {
    const { world, a, b, toB, toA } = await talk();
    const heard: string[] = [];
    b.friends.on("message", ({ text }) => void heard.push(text));
    toB.send("1");
    await world.run(500);
    toB.remove();
    toA.remove();
    const [again] = [a.friends.addWithoutRequest(b.publicKey), b.friends.addWithoutRequest(a.publicKey)];
    again.send("2");
    await world.run(60_000);
    expect(heard).toEqual(["1", "2"]);
  });

  it("leaves nothing in the journal, however often", async () => {
    const { world, store, a, b, toB } = await talk();
    let friend = toB;
    for (let i = 0; i < 5000; i++) {
      friend.send("x");
      friend.remove();
      friend = a.friends.addWithoutRequest(b.publicKey);
    }
    await world.run(0);
    expect((await store.readJournal()).length).toBeLessThan(2 * 4096);
  });
});

describe("a friend who floods", () => {
  it("does not make the journal grow, whatever numbers he gives", async () => {
    const store = memoryStore();
    const { world, a, peer } = await withSilentPeer(undefined, store);
    world.link.queueLimit = 100_000;
    let shown = 0;
    a.friends.on("message", () => void shown++);
    peer.send(24);
    peer.send(...encodeHello({ version: 1, capabilities: 1 }));
    const say = (epoch: bigint, sequence: bigint) =>
      peer.send(...encodeMessageFragment({ epoch, sequence, action: false, more: false, text: utf8("x") }));
    for (let i = 1n; i <= 10_000n; i++) say(1n, i);
    for (let i = 1n; i <= 10_000n; i++) say(i + 1n, 2n ** 64n - 1n);
    for (let i = 1n; i <= 10_000n; i++) say(77n, (i * i) % 5000n);
    await world.run(1000);
    expect(shown).toBeGreaterThan(20_000);
    expect((await store.readJournal()).length).toBeLessThan(2 * 4096);
  });
});
