import { describe, expect, it } from "vitest";
import { BAD_NETWORK } from "../support/bad_network.ts";
import { Story } from "../support/people.ts";

describe("two people", () => {
  it("become friends by a request and talk", async () => {
    await using story = new Story();
    const alice = await story.person("Alice");
    const bob = await story.person("Bob");

    const aliceSees = await alice.tox.addFriend(bob.tox.id, "Hi, it's Alice");
    const request = await story.hears(bob, "friendRequest");
    expect(request).toMatchObject({ publicKey: alice.tox.publicKey, message: "Hi, it's Alice" });
    const bobSees = request.accept();
    await story.hears(alice, "friendConnection", ({ state }) => state === "udp");
    await story.hears(bob, "friendConnection", ({ state }) => state === "udp");
    await story.until("names", () => aliceSees.name === "Bob" && bobSees.name === "Alice");

    const message = aliceSees.send("hello");
    expect(await story.hears(bob, "message")).toMatchObject({ friend: bobSees, text: "hello", action: false });
    expect(await story.universe.wait(message.delivered)).toBe("delivered");
  });

  it("find each other in a network of two nodes in all, within 1.5 s", async () => {
    await using story = new Story({ link: { latency: [0.1, 0.3] } });
    const alice = await story.person("Alice");
    const bob = await story.person("Bob");
    const start = story.universe.now;
    await story.befriend(alice, bob);
    expect(story.universe.now - start).toBeLessThan(1500);
  });

  it("find each other in a network of eight, within 3 s", async () => {
    await using story = new Story();
    await story.crowd(8);
    const alice = await story.person("Alice");
    const bob = await story.person("Bob");
    const start = story.universe.now;
    await story.befriend(alice, bob);
    expect(story.universe.now - start).toBeLessThan(3000);
  });

  it.each([1, 2, 3, 4, 5])(
    "exchange 200 messages each way over a bad network, in order and once (seed %i)",
    async (seed) => {
      await using story = new Story({ seed, link: BAD_NETWORK });
      const alice = await story.person("Alice");
      const bob = await story.person("Bob");
      const [aliceSees, bobSees] = await story.befriend(alice, bob, 180_000);
      const texts = Array.from({ length: 200 }, (_, i) => `message ${i}`);
      const sent = texts.flatMap((text) => [aliceSees.send(text), bobSees.send(text)]);
      await story.until("all delivered", () => sent.every(({ state }) => state === "delivered"), 180_000);
      expect(bob.heard.all("message").map(({ text }) => text)).toEqual(texts);
      expect(alice.heard.all("message").map(({ text }) => text)).toEqual(texts);
    },
  );

  it.each([1, 2, 3, 4, 5])(
    "lose and double nothing while the network parts them again and again (seed %i)",
    async (seed) => {
      await using story = new Story({ seed, link: BAD_NETWORK });
      const alice = await story.person("Alice");
      const bob = await story.person("Bob");
      const [aliceSees] = await story.befriend(alice, bob, 180_000);
      const texts: string[] = [];
      for (let round = 0; round < 6; round++) {
        for (let i = 0; i < 10; i++) {
          texts.push(`round ${round}, ${i}`);
          aliceSees.send(texts.at(-1) as string);
          await story.pass(20);
        }
        story.universe.partition([alice.host], [bob.host]);
        await story.pass(round % 2 === 0 ? 5_000 : 45_000);
        texts.push(`apart in round ${round}`);
        aliceSees.send(texts.at(-1) as string);
        story.universe.heal();
      }
      await story.until("all delivered", () => aliceSees.queued === 0, 600_000);
      expect(bob.heard.all("message").map(({ text }) => text)).toEqual(texts);
    },
  );

  it("see each other leave, and return with another DHT key", async () => {
    await using story = new Story();
    await story.crowd(3);
    const alice = await story.person("Alice");
    const secretKey = new Uint8Array(32).fill(9);
    const bob = await story.person("Bob", { secretKey });
    const [aliceSees] = await story.befriend(alice, bob);
    await story.universe.wait(bob.tox.close());
    await story.hears(alice, "friendConnection", ({ state }) => state === "none", 5_000);
    aliceSees.send("while you were away");

    const returned = await story.restart(bob.host, "Bob", { secretKey });
    await returned.tox.addFriendWithoutRequest(alice.tox.publicKey);
    expect(await story.hears(returned, "message")).toMatchObject({ text: "while you were away" });
  });

  it("find each other again when one crashes and comes back", async () => {
    await using story = new Story();
    await story.crowd(3);
    const alice = await story.person("Alice");
    const secretKey = new Uint8Array(32).fill(9);
    const bob = await story.person("Bob", { secretKey });
    await story.befriend(alice, bob);
    bob.host.crash();
    const returned = await story.restart(bob.host, "Bob", { secretKey });
    const friend = await returned.tox.addFriendWithoutRequest(alice.tox.publicKey);
    friend.send("it was only a crash");
    expect(await story.hears(alice, "message", undefined, 120_000)).toMatchObject({ text: "it was only a crash" });
  });

  it("find each other again when one moves to another address", async () => {
    await using story = new Story();
    await story.crowd(3);
    const alice = await story.person("Alice");
    const bob = await story.person("Bob");
    const [aliceSees, bobSees] = await story.befriend(alice, bob);
    bob.host.moveTo("198.19.200.7");
    aliceSees.send("where are you?");
    bobSees.send("I moved");
    await story.hears(alice, "message", ({ text }) => text === "I moved", 180_000);
    await story.hears(bob, "message", ({ text }) => text === "where are you?", 180_000);
  });

  it("talk over IPv6 alone", async () => {
    await using story = new Story();
    const alice = await story.person("Alice", { host: { ipv4: false, ipv6: true } });
    const bob = await story.person("Bob", { host: { ipv4: false, ipv6: true } });
    const [aliceSees] = await story.befriend(alice, bob);
    aliceSees.send("six");
    await story.hears(bob, "message", ({ text }) => text === "six");
  });

  it("leave the same trace for the same seed", async () => {
    const traceOf = async (seed: number) => {
      const story = new Story({ seed, link: BAD_NETWORK });
      story.universe.trace.start();
      const alice = await story.person("Alice");
      const bob = await story.person("Bob");
      const [aliceSees] = await story.befriend(alice, bob, 180_000);
      aliceSees.send("again");
      await story.pass(20_000);
      const hash = story.universe.traceHash();
      await story[Symbol.asyncDispose]();
      return hash;
    };
    const first = await traceOf(11);
    expect(await traceOf(11)).toBe(first);
    expect(await traceOf(12)).not.toBe(first);
  });
});
