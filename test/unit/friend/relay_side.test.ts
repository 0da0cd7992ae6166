import { beforeEach, describe, expect, it } from "vitest";
import { memoryStore } from "../../../src/env/memory_store.ts";
import type { FriendRelays, FriendRouteListener } from "../../../src/friend/ports.ts";
import { formatEndpoint, makeEndpoint } from "../../../src/util/endpoint.ts";
import { ignoreDrop } from "../../../src/wire/drop.ts";
import { decodeShareRelays, encodeShareRelays } from "../../../src/wire/friend/share_relays.ts";
import type { PackedNode } from "../../../src/wire/packed_node.ts";
import { type Person, World } from "./world.ts";

const SHARE_RELAYS = 17;

/** What a friend's connection asks of the pool. */
class FakeRelays implements FriendRelays {
  need(): void {}

  readonly suggested: string[] = [];
  readonly refused: string[] = [];
  readonly from: (string | undefined)[] = [];
  readonly listeners: FriendRouteListener[] = [];
  readonly shared: PackedNode[] = [];
  routes = 0;
  direct = false;

  routeTo(_key: Uint8Array, listener: FriendRouteListener) {
    this.routes++;
    this.listeners.push(listener);
    const fake = this;
    return {
      suggest(nodes: readonly PackedNode[], teller: Parameters<ReturnType<FriendRelays["routeTo"]>["suggest"]>[1]) {
        for (const { endpoint } of nodes) {
          (teller.mayTakeNew() ? fake.suggested : fake.refused).push(formatEndpoint(endpoint));
        }
        fake.from.push(teller.from && formatEndpoint(teller.from));
      },
      set direct(isDirect: boolean) {
        fake.direct = isDirect;
      },
      stop() {
        fake.routes--;
      },
    };
  }

  toShare(count: number): PackedNode[] {
    return this.shared.slice(0, count);
  }
}

let world: World;
let relays: FakeRelays;
let alice: Person;
let bob: Person;

beforeEach(async () => {
  world = new World();
  relays = new FakeRelays();
  alice = await world.person("alice", memoryStore(), 7, relays);
  bob = await world.person("bob");
});

function relay(address: readonly number[], port: number, publicKey = world.crypto.keyPair().publicKey): PackedNode {
  return { publicKey, endpoint: makeEndpoint(Uint8Array.from(address), port), transport: "tcp" };
}

async function tell(...nodes: PackedNode[]): Promise<void> {
  world.sessionOf(bob).send(encodeShareRelays(nodes), "control");
  await world.run(50);
}

describe("the relays that a friend names", () => {
  it("are as many in the long run as three in half a minute", async () => {
    await world.befriend(alice, bob);
    for (let second = 0; second < 120; second++) {
      await tell(...[1, 2, 3].map((i) => relay([203, 0, 113, i], 1000 + second)));
      await world.run(950);
    }
    expect(relays.suggested.length).toBeGreaterThan(30);
    expect(relays.suggested.length).toBeLessThan(24 + 14);
    expect(relays.from.length).toBeLessThan(8 + 62); // how often we may be made to say something over them
    const before = relays.suggested.length;
    await world.run(60_000);
    await tell(relay([203, 0, 113, 1], 1));
    expect(relays.suggested.length).toBe(before + 1);
  });

  it("come with where he is, and his own is at that address when he names it by loopback", async () => {
    await world.befriend(alice, bob);
    await tell(relay([127, 0, 0, 1], 443, bob.dhtPublicKey), relay([127, 0, 0, 1], 444));
    expect(relays.suggested).toEqual(["10.0.0.1:443", "127.0.0.1:444"]);
    expect(relays.from).toEqual(["10.0.0.1:33445"]);
  });

  it("wait, if it is his own, until it is known where he is", async () => {
    await world.befriend(alice, bob);
    world.addressesKnown = false;
    world.sessionOf(alice).movePath(undefined);
    await tell(relay([127, 0, 0, 1], 443, bob.dhtPublicKey));
    expect(relays.from).toEqual([undefined]);
    expect(relays.suggested).toEqual(["127.0.0.1:443"]); // which the pool refuses
    world.find(bob, makeEndpoint(Uint8Array.of(203, 0, 113, 7), 33445));
    world.find(bob, makeEndpoint(Uint8Array.of(203, 0, 113, 8), 33445));
    expect(relays.suggested).toEqual(["127.0.0.1:443", "203.0.113.7:443"]);
  });
});

describe("a friend over relays", () => {
  it("has our relays told to him at once, and every two minutes", async () => {
    const told: { at: number; relays: string[] | undefined }[] = [];
    relays.shared.push(...[1, 2, 3, 4].map((i) => relay([203, 0, 113, i], 443)));
    world.link.onSent = (owner, packet) => {
      if (owner !== alice.publicKey || packet[0] !== SHARE_RELAYS) return;
      const nodes = decodeShareRelays(packet, ignoreDrop);
      told.push({ at: world.timeline.now, relays: nodes?.map(({ endpoint }) => formatEndpoint(endpoint)) });
    };
    await world.befriend(alice, bob);
    await world.run(250_000);
    expect(told.length).toBe(3);
    expect(told[0]?.relays).toEqual(["203.0.113.1:443", "203.0.113.2:443", "203.0.113.3:443"]);
    expect((told[1]?.at ?? 0) - (told[0]?.at ?? 0)).toBe(120_000);
  });

  it("is direct while the session runs over UDP, and leaves no route behind", async () => {
    const [friend] = await world.befriend(alice, bob);
    expect(relays.direct).toBe(true);
    world.sessionOf(alice).movePath(undefined);
    expect(relays.direct).toBe(false);
    expect(relays.routes).toBe(1);
    await (await friend).remove();
    expect(relays.routes).toBe(0);
  });

  it("is told over the relay when we end it", async () => {
    const [friend] = await world.befriend(alice, bob);
    relays.listeners[0]?.onPath({ send: () => true });
    const session = world.sessionOf(alice);
    expect(session.relays.size).toBe(1);
    let atKill = 0;
    const kill = session.kill.bind(session);
    session.kill = () => {
      atKill = session.relays.size;
      kill();
    };
    await (await friend).remove();
    expect(atKill).toBe(1);
  });

  it("who is removed as the first way to him is told leaves no route behind either", async () => {
    world.addressesKnown = false;
    const friend = await alice.friends.addWithoutRequest(bob.publicKey);
    const { routeTo } = FakeRelays.prototype;
    const path = { send: () => false };
    relays.routeTo = (key, listener) => {
      const route = routeTo.call(relays, key, listener);
      void friend.remove();
      listener.onPath(path);
      return route;
    };
    await bob.friends.addWithoutRequest(alice.publicKey);
    await world.run(5000);
    expect(relays.listeners.length).toBe(1);
    expect(relays.routes).toBe(0);
  });
});
