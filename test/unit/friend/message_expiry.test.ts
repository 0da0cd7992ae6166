import { describe, expect, it } from "vitest";
import { memoryStore } from "../../../src/env/memory_store.ts";
import { codeOf, type Person, World } from "./world.ts";

/** What the person hears of expired messages. */
function expiredOf(person: Person): string[] {
  const texts: string[] = [];
  person.friends.on("expired", ({ friend, message }) => {
    texts.push(`${message.text} ${message.state} ${friend.queued}`);
  });
  return texts;
}

async function waiting() {
  const world = new World();
  const store = memoryStore();
  const a = await world.person("a", store);
  const toB = a.friends.addWithoutRequest(world.keys("b").publicKey);
  return { world, store, a, toB, expired: expiredOf(a) };
}

describe("a message with an expiry", () => {
  it("is not sent any more when its time is over, and the app hears of it", async () => {
    const { world, a, toB, expired } = await waiting();
    const long = toB.send("long", { ttl: 3600 });
    const short = toB.send("short", { ttl: 60 });
    const forever = toB.send("forever");
    expect([short.expiresAt, forever.expiresAt]).toEqual([a.clock.wall() + 60, undefined]);
    await world.run(59_000);
    expect([short.state, expired]).toEqual(["queued", []]);
    await world.run(2_000);
    expect(expired).toEqual(["short expired 2"]);
    expect(await short.delivered).toBe("expired");
    expect(short.cancel()).toBe(false);
    const b = await world.person("b");
    const texts: string[] = [];
    b.friends.on("message", ({ text }) => texts.push(text));
    b.friends.addWithoutRequest(a.publicKey);
    await world.run(1000);
    expect(texts).toEqual(["long", "forever"]);
    expect(long.state).toBe("delivered");
    await world.run(7_200_000);
    expect([long.state, expired.length]).toEqual(["delivered", 1]);
  });

  it("expires at a restart when its time was over meanwhile, and is gone from the store then", async () => {
    const { world, store, a, toB } = await waiting();
    toB.send("one", { ttl: 60 });
    toB.send("two", { expiresAt: a.clock.wall() + 600, action: true });
    await world.stop(a, "crash");
    await world.run(61_000);
    const again = await world.person("a", store);
    again.clock.jumpWall(61); // its clock began with it
    const friend = again.friends.addWithoutRequest(world.keys("b").publicKey);
    const expired = expiredOf(again);
    await world.run(0);
    expect(expired).toEqual(["one expired 1"]);
    expect(friend.outbox().map(({ text, action, expiresAt }) => [text, action, expiresAt])).toEqual([
      ["two", true, 1_700_000_600],
    ]);
    await world.stop(again, "crash");
    const third = await world.person("a", store);
    expect(third.friends.addWithoutRequest(world.keys("b").publicKey).queued).toBe(1);
  });

  it("is not sent in a session that begins when its time is over, though the wall clock was set forward", async () => {
    const { world, a, toB, expired } = await waiting();
    toB.send("old news", { ttl: 100_000 });
    toB.send("after it");
    a.clock.jumpWall(200_000);
    const b = await world.person("b");
    const texts: string[] = [];
    b.friends.on("message", ({ text }) => texts.push(text));
    b.friends.addWithoutRequest(a.publicKey);
    await world.run(1000);
    expect([texts, expired]).toEqual([["after it"], ["old news expired 1"]]);
  });

  it("is noticed within the hour when the wall clock was set, and waits on when it was set back", async () => {
    const { world, a, toB } = await waiting();
    const forward = toB.send("forward", { ttl: 100_000 });
    await world.run(1000);
    a.clock.jumpWall(100_000);
    await world.run(3_600_000);
    expect(forward.state).toBe("expired");
    const back = toB.send("back", { ttl: 100 });
    a.clock.jumpWall(-1000);
    await world.run(500_000);
    expect(back.state).toBe("queued");
    await world.run(700_000);
    expect(back.state).toBe("expired");
  });

  it("does not expire while it is under way, only when its session is lost", async () => {
    const world = new World();
    const [a, b] = [await world.person("a"), await world.person("b")];
    const [toB] = await world.befriend(a, b);
    b.friends.on("message", () => new Promise<void>(() => {}));
    const expired = expiredOf(a);
    const message = toB.send("busy", { ttl: 10 });
    await world.run(60_000);
    expect(message.state).toBe("sent");
    world.breakAll();
    await world.run(0);
    expect([message.state, expired]).toEqual(["expired", ["busy expired 0"]]);
    await world.run(10_000);
    expect(message.state).toBe("expired");
  });

  it("costs no timer once it is settled", async () => {
    const { a, toB } = await waiting();
    const before = a.clock.pending;
    const messages = Array.from({ length: 100 }, () => toB.send("x", { ttl: 60 }));
    expect(a.clock.pending).toBe(before + 100);
    for (const message of messages) message.cancel();
    expect(a.clock.pending).toBe(before);
  });

  it("has to be given as one time that makes sense", async () => {
    const { toB, a } = await waiting();
    for (const options of [
      { ttl: 0 },
      { ttl: -1 },
      { ttl: Number.NaN },
      { ttl: Number.POSITIVE_INFINITY },
      { expiresAt: Number.NaN },
      { expiresAt: -5 },
      { expiresAt: 2 ** 60 },
      { ttl: 1, expiresAt: 1 },
    ]) {
      expect(codeOf(() => toB.send("x", options))).toBe("invalid-argument");
    }
    expect(toB.queued).toBe(0);
    expect(toB.send("x", { ttl: 0.5 }).expiresAt).toBe(a.clock.wall() + 1);
  });
});
