import { describe, expect, it } from "vitest";
import type { PublicKey } from "../../../src/crypto/keys.ts";
import type { IncomingFriendRequest } from "../../../src/friend/events.ts";
import { utf8 } from "../../../src/util/text.ts";
import { encodeFriendRequestData } from "../../../src/wire/friend/friend_request.ts";
import { formatToxId } from "../../../src/wire/friend/tox_id.ts";
import { LegacyPeer, withSilentPeer } from "./legacy_peer.ts";
import { type Person, World } from "./world.ts";

function requestsOf(person: Person): IncomingFriendRequest[] {
  const requests: IncomingFriendRequest[] = [];
  person.friends.on("friendRequest", (request) => requests.push(request));
  return requests;
}

function stranger(number: number): PublicKey {
  return new Uint8Array(32).fill(number + 1) as Uint8Array as PublicKey;
}

const ask = (person: Person, from: PublicKey, message = "hi", nospam = 7) =>
  person.finder.requestHandler?.(from, encodeFriendRequestData({ nospam, message: utf8(message) }));

describe("incoming friend requests", () => {
  it("reach the app with message and key, and accepting connects", async () => {
    const world = new World();
    const [a, b] = [await world.person("a"), await world.person("b")];
    const requests = requestsOf(b);
    const toB = a.friends.add(b.friends.id, "It's a, with ünïcode");
    await world.run(100);
    expect(requests.map((request) => request.message)).toEqual(["It's a, with ünïcode"]);
    expect(requests[0]?.publicKeyBytes).toEqual(a.publicKey);
    const toA = requests[0]?.accept();
    expect(requests[0]?.accept()).toBe(toA);
    await world.run(1000);
    expect(toB.connection).toBe("udp");
    expect(toA?.connection).toBe("udp");
    const sent = a.finder.requests.length;
    await world.run(600_000);
    expect(a.finder.requests.length).toBe(sent); // he is there: no more of them
  });

  it("need our nospam", async () => {
    const b = await new World().person("b");
    const requests = requestsOf(b);
    ask(b, stranger(1), "old", 8);
    expect(requests).toEqual([]);
    b.friends.nospam = 8;
    ask(b, stranger(1), "old");
    ask(b, stranger(1), "new", 8);
    expect(requests.map((request) => request.message)).toEqual(["new"]);
    expect(b.metrics.get("drop.friendRequest.not-for-us")).toBe(2);
  });

  it("are shown once for each of the last 32 senders", async () => {
    const b = await new World().person("b");
    const requests = requestsOf(b);
    for (let i = 0; i < 33; i++) {
      ask(b, stranger(i));
      ask(b, stranger(i), "again");
    }
    expect(requests.length).toBe(33);
    ask(b, stranger(1));
    expect(requests.length).toBe(33);
    ask(b, stranger(0)); // the 33rd pushed him out
    expect(requests.length).toBe(34);
  });

  it("are not shown for friends, but again for removed ones", async () => {
    const b = await new World().person("b");
    const requests = requestsOf(b);
    ask(b, stranger(1));
    const friend = requests[0]?.accept();
    ask(b, stranger(1));
    expect(requests.length).toBe(1);
    friend?.remove();
    ask(b, stranger(1));
    expect(requests.length).toBe(2);
  });

  it("are dropped when they are no requests, and wait for a listener", async () => {
    const b = await new World().person("b");
    ask(b, stranger(1));
    const requests = requestsOf(b);
    b.finder.requestHandler?.(stranger(2), new Uint8Array(4));
    b.finder.requestHandler?.(stranger(2), new Uint8Array(0));
    expect(requests).toEqual([]);
    ask(b, stranger(1));
    expect(requests.length).toBe(1);
  });
});

describe("our friend requests", () => {
  it("go out at once when he is found, and then after pauses that grow by half, from 5 s on", async () => {
    const world = new World();
    const a = await world.person("a");
    a.friends.add(formatToxId({ publicKey: world.keys("late").publicKey, nospam: 3 }), "hello");
    await world.run(20_000);
    expect(a.finder.requests).toEqual([]);
    new LegacyPeer(world, "late").incoming = () => undefined;
    const start = world.timeline.now;
    for (let i = 0; i < 150; i++) {
      a.finder.announce(); // found again and again: no reason to send more
      await world.run(500);
    }
    const times = a.finder.requests.map(({ at }) => at - start);
    expect(times).toEqual([0, 5000, 12_500, 23_750, 40_625, 65_937.5]);
    const [first] = a.finder.requests;
    expect([...(first?.data ?? [])]).toEqual([0, 0, 0, 3, ...utf8("hello")]);
  });

  it("go out at once to somebody who is found hours after they were in vain", async () => {
    const world = new World();
    const a = await world.person("a");
    const peer = new LegacyPeer(world, "peer");
    peer.incoming = () => undefined;
    a.friends.add(formatToxId({ publicKey: peer.publicKey, nospam: 3 }), "hello");
    await world.run(5 * 3_600_000);
    const before = a.finder.requests.length;
    const { at = 0 } = a.finder.requests.at(-1) ?? {};
    expect(world.timeline.now - at).toBeGreaterThan(300_000);
    a.finder.announce();
    expect(a.finder.requests.length).toBe(before + 1);
  });

  it("are sent anew under a new nospam", async () => {
    const world = new World();
    const a = await world.person("a");
    const peer = new LegacyPeer(world, "peer");
    peer.incoming = () => undefined;
    const friend = a.friends.add(formatToxId({ publicKey: peer.publicKey, nospam: 3 }), "one");
    await world.run(100);
    expect(a.friends.add(formatToxId({ publicKey: peer.publicKey, nospam: 4 }), "two")).toBe(friend);
    await world.run(100);
    expect(peer.requests).toEqual(["one", "two"]);
  });

  it("go through the session when there is one, and end when he comes online", async () => {
    const { world, a, peer } = await withSilentPeer((world, a, key) =>
      a.friends.add(formatToxId({ publicKey: world.keys(key).publicKey, nospam: 3 }), "hi"),
    );
    await world.run(6000);
    expect(a.finder.requests.length).toBe(1);
    expect(peer.ids.filter((id) => id === 18).length).toBe(1);
    expect(peer.ids.slice(0, 2)).toEqual([24, 150]); // before anything else
    peer.send(24);
    await world.run(100_000);
    expect(peer.ids.filter((id) => id === 18).length).toBe(1);
  });
});
