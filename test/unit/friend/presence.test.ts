import { describe, expect, it } from "vitest";
import type { FriendEvents } from "../../../src/friend/events.ts";
import { withSilentPeer } from "./legacy_peer.ts";
import { codeOf, type Person, World } from "./world.ts";

const NAMES = ["friendConnection", "friendName", "friendStatusMessage", "friendStatus", "typing"] as const;

/** Events as short texts, in their order. */
function eventsOf(person: Person): string[] {
  const events: string[] = [];
  for (const name of NAMES) {
    person.friends.on(name, (event: FriendEvents[typeof name]) => {
      const { friend: _, ...rest } = event;
      events.push(`${name} ${Object.values(rest).join()}`);
    });
  }
  return events;
}

describe("presence", () => {
  it("is told when a friend comes, and when it changes", async () => {
    const world = new World();
    const [a, b] = [await world.person("a"), await world.person("b")];
    a.friends.selfName = "Änne";
    a.friends.selfStatusMessage = "here";
    a.friends.selfStatus = "away";
    const events = eventsOf(b);
    const [toB, toA] = await world.befriend(a, b);
    expect(events).toEqual([
      "friendConnection udp",
      "friendName Änne",
      "friendStatusMessage here",
      "friendStatus away",
    ]);
    expect([toA.name, toA.statusMessage, toA.status, toA.connection]).toEqual(["Änne", "here", "away", "udp"]);
    events.length = 0;

    a.friends.selfName = "Anna";
    a.friends.selfName = "Anna";
    a.friends.selfStatus = "none";
    toB.setTyping(true);
    toB.setTyping(true);
    await world.run(100);
    expect(events).toEqual(["friendName Anna", "friendStatus none", "typing true"]);
    expect(toA.typing).toBe(true);
    events.length = 0;

    await a.friends.close();
    await world.run(100);
    expect(events).toEqual(["typing false", "friendConnection none"]);
    expect([toA.typing, toA.connection, toA.name]).toEqual([false, "none", "Anna"]);
  });

  it("tells anew what changed while nobody was there", async () => {
    const world = new World();
    const [a, b] = [await world.person("a"), await world.person("b")];
    const [toB, toA] = await world.befriend(a, b);
    toB.setTyping(true);
    await world.run(100);
    world.breakAll();
    await world.run(0);
    a.friends.selfName = "new";
    toB.setTyping(false);
    await world.run(1000);
    expect([toA.name, toA.typing, toA.connection]).toEqual(["new", false, "udp"]);
  });

  it("knows when a friend was last there", async () => {
    const world = new World();
    const [a, b] = [await world.person("a"), await world.person("b")];
    const [, toA] = await world.befriend(a, b);
    await world.run(10_000);
    expect(toA.lastOnline).toBe(b.clock.wall());
    await world.stop(a);
    await world.run(100);
    const left = b.clock.wall();
    await world.run(50_000);
    expect(toA.lastOnline).toBe(left);
    expect(b.friends.addWithoutRequest(world.keys("c").publicKey).lastOnline).toBeUndefined();
  });

  it("goes on where a full queue stopped it, ONLINE and hello still next to each other", async () => {
    const world = new World();
    world.link.queueLimit = 1;
    world.link.controlAllowance = 0;
    const [a, b] = [await world.person("a"), await world.person("b")];
    a.friends.selfName = "Anna";
    const ids: number[] = [];
    world.link.onSent = (owner, packet) => {
      if (owner === a.publicKey) ids.push(packet[0] ?? -1);
    };
    const [toB, toA] = await world.befriend(a, b);
    const message = toB.send("hello");
    await world.run(2000);
    expect(toA.name).toBe("Anna");
    expect(message.state).toBe("delivered");
    expect(ids.slice(0, 2)).toEqual([24, 150]);
    for (const [at, id] of ids.entries()) if (id === 24) expect(ids[at + 1]).toBe(150);
    expect(ids).not.toContain(64);
  });

  it("tells of a move to a relay and back", async () => {
    const world = new World();
    const [a, b] = [await world.person("a"), await world.person("b")];
    const [toB] = await world.befriend(a, b);
    const events = eventsOf(a);
    const session = world.sessionOf(a);
    const { endpoint } = session;
    session.movePath(undefined);
    expect(toB.connection).toBe("tcp");
    session.movePath(undefined);
    session.movePath(endpoint);
    expect(events).toEqual(["friendConnection tcp", "friendConnection udp"]);
  });
});

describe("packets of a toxcore peer", () => {
  it("mean nothing before ONLINE, which is one byte", async () => {
    const { world, a, peer, friend } = await withSilentPeer();
    peer.send(48, 65);
    peer.send(64, 65);
    peer.send(160, 1);
    peer.send(24, 0);
    peer.session?.sendLossy(Uint8Array.of(200));
    a.friends.on("packet", () => expect.unreachable());
    await world.run(100);
    expect([friend.name, friend.connection]).toEqual(["", "none"]);
    expect(a.metrics.get("drop.friendPacket.unsolicited")).toBe(4);
    peer.send(24);
    peer.send(48, 65);
    await world.run(100);
    expect([friend.name, friend.connection]).toEqual(["A", "udp"]);
  });

  it("go offline by one byte, and come back with ONLINE, which is answered", async () => {
    const { world, peer, friend } = await withSilentPeer();
    peer.send(24);
    peer.send(25, 1);
    await world.run(100);
    expect(friend.connection).toBe("udp");
    peer.send(25);
    peer.send(48, 65);
    await world.run(100);
    expect([friend.connection, friend.name]).toEqual(["none", ""]);
    peer.ids.length = 0;
    peer.send(24);
    await world.run(100);
    expect(friend.connection).toBe("udp");
    expect(peer.ids.slice(0, 2)).toEqual([24, 150]);
  });

  it("are dropped and counted when they are malformed or not for anybody", async () => {
    const { world, a, peer, friend } = await withSilentPeer();
    peer.send(24);
    peer.send(48, ...Array(129).fill(65));
    peer.send(49, ...Array(1008).fill(65));
    peer.send(50, 3);
    peer.send(50);
    peer.send(51, 1, 1);
    peer.send(64);
    for (const id of [69, 80, 81, 82, 95, 96, 97, 98, 99, 100, 30, 159]) peer.send(id, 1, 2, 3);
    peer.session?.sendLossy(Uint8Array.of(192, 1));
    peer.send(17, 1, 2, 3);
    peer.send(150);
    peer.send(150, 0);
    peer.send(150, 1, 1);
    peer.send(150, 9);
    await world.run(100);
    expect([friend.name, friend.statusMessage, friend.status, friend.typing]).toEqual(["", "", "none", false]);
    expect(a.metrics.get("drop.friendPacket.unknown-id")).toBe(13);
    expect(a.metrics.get("drop.friendPacket.oversized")).toBe(3);
    expect(a.metrics.get("drop.friendPacket.truncated")).toBe(3);
    expect(a.metrics.get("drop.friendPacket.malformed")).toBe(2);
    expect(a.metrics.get("drop.friendPacket.unsolicited")).toBe(3);
    expect(friend.connection).toBe("udp");
  });

  it("go to whoever registered for their ids", async () => {
    const { world, a, peer, friend } = await withSilentPeer();
    const got: number[][] = [];
    const off = a.friends.onPacket(80, 82, (from, packet) => {
      expect(from).toBe(friend);
      got.push([...packet]);
    });
    expect(codeOf(() => a.friends.onPacket(82, 90, () => {}))).toBe("invalid-argument");
    peer.send(81, 1);
    peer.send(24);
    peer.send(80, 5);
    peer.send(83, 6);
    await world.run(50);
    off();
    peer.send(80, 7);
    await world.run(50);
    expect(got).toEqual([[80, 5]]);
  });
});

describe("custom packets", () => {
  it("arrive with their id, and outlive the handler", async () => {
    const world = new World();
    const [a, b] = [await world.person("a"), await world.person("b")];
    const [toB] = await world.befriend(a, b);
    const got: { bytes: Uint8Array; lossless: boolean }[] = [];
    b.friends.on("packet", ({ bytes, lossless }) => got.push({ bytes, lossless }));
    for (const id of [160, 191, 200, 254]) toB.sendPacket(Uint8Array.of(id, 1));
    toB.sendPacket(new Uint8Array(1373).fill(170));
    await world.run(100);
    expect(got.slice(0, 4).map(({ bytes }) => [...bytes])).toEqual([160, 191, 200, 254].map((id) => [id, 1]));
    expect(got.map(({ lossless }) => lossless)).toEqual([true, true, false, false, true]);
    expect(got[4]?.bytes.length).toBe(1373);
  });

  it("are refused with a code", async () => {
    const world = new World();
    const [a, b] = [await world.person("a"), await world.person("b")];
    const [toB] = await world.befriend(a, b);
    for (const id of [0, 16, 64, 69, 150, 159, 192, 199, 255]) {
      expect(codeOf(() => toB.sendPacket(Uint8Array.of(id)))).toBe("packet-id-reserved");
    }
    expect(codeOf(() => toB.sendPacket(new Uint8Array(0)))).toBe("invalid-argument");
    expect(codeOf(() => toB.sendPacket(new Uint8Array(1374).fill(160)))).toBe("packet-too-long");
    const fill = () => {
      for (let i = 0; i < 100; i++) toB.sendPacket(Uint8Array.of(160));
    };
    expect(codeOf(fill)).toBe("queue-full");
    await world.run(1000);
    toB.sendPacket(Uint8Array.of(160));
    await world.stop(b);
    await world.run(100);
    expect(codeOf(() => toB.sendPacket(Uint8Array.of(160)))).toBe("friend-offline");
  });
});
