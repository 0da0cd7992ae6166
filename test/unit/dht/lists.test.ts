import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PublicKey } from "../../../src/crypto/keys.ts";
import { MAX_NODES_PER_SUBNET, sameSubnet } from "../../../src/dht/addresses.ts";
import { BUCKETS, CloseList } from "../../../src/dht/close_list.ts";
import { compareDistance, sharedPrefixBits } from "../../../src/dht/distance.ts";
import { NearestList } from "../../../src/dht/nearest_list.ts";
import { Association, BAD_NODE_TIMEOUT, NodeEntry } from "../../../src/dht/node_entry.ts";
import { LIST_SIZE, type NodeList } from "../../../src/dht/node_list.ts";
import { makeEndpoint } from "../../../src/util/endpoint.ts";
import { bytesOf } from "../../support/arbitraries.ts";

const NOW = 1_000_000;
const SELF = new Uint8Array(32).fill(0x55) as Uint8Array as PublicKey;

interface Guest {
  readonly entry: NodeEntry;
  readonly isBad: boolean;
}

/** Keys that share many bits with ours or few, so that buckets fill; addresses from few subnets, or of a LAN. */
const guest: fc.Arbitrary<Guest> = fc
  .record({
    shared: fc.integer({ min: 0, max: 3 }),
    key: bytesOf(32),
    subnet: fc.integer({ min: 0, max: 12 }),
    host: fc.integer({ min: 1, max: 254 }),
    isBad: fc.boolean(),
    isLan: fc.boolean(),
  })
  .map(({ shared, key, subnet, host, isBad, isLan }) => {
    const publicKey = key.slice();
    for (let i = 0; i < 32; i++)
      publicKey[i] = i === 0 ? (SELF[0] ?? 0) ^ (0x80 >> shared) ^ ((key[0] ?? 0) & 7) : (key[i] ?? 0);
    const endpoint = makeEndpoint(Uint8Array.of(isLan ? 10 : 198, 51, subnet, host), 33445);
    const entry = new NodeEntry(publicKey as Uint8Array as PublicKey);
    entry.setAssociation(4, new Association(entry.publicKey, endpoint, isBad ? NOW - BAD_NODE_TIMEOUT : NOW));
    return { entry, isBad };
  });

const endpointOf = (entry: NodeEntry) => (entry.ipv4 as Association).endpoint;
const isLan = (entry: NodeEntry) => endpointOf(entry).address[0] === 10;

function offerAll(list: NodeList, guests: readonly Guest[], check: (step: Step) => void): void {
  const held = new Set<NodeEntry>();
  for (const { entry } of guests) {
    const before = [...held];
    const wanted = list.wants(entry.publicKey, endpointOf(entry), NOW);
    let evicted: NodeEntry | undefined;
    const offered = list.offer(entry, endpointOf(entry), NOW, (gone) => {
      evicted = gone;
    });
    if (evicted !== undefined) expect(held.delete(evicted)).toBe(true);
    if (offered === "taken") held.add(entry);
    expect(wanted).toBe(offered === "taken");
    expect(new Set(list.nodes())).toEqual(held);
    check({ entry, before, offered: offered === "taken", evicted });
  }
}

interface Step {
  readonly entry: NodeEntry;
  readonly before: readonly NodeEntry[];
  readonly offered: boolean;
  readonly evicted: NodeEntry | undefined;
}

const isGood = (entry: NodeEntry) => entry.isGood(NOW);

describe("the close list", () => {
  const bucketOf = (entry: NodeEntry) => Math.min(sharedPrefixBits(SELF, entry.publicKey), BUCKETS - 1);

  it("does what a naive model does", () => {
    fc.assert(
      fc.property(fc.array(guest, { maxLength: 80 }), (guests) => {
        offerAll(new CloseList(SELF), guests, ({ entry, before, offered, evicted }) => {
          const bucket = before.filter((other) => bucketOf(other) === bucketOf(entry));
          const neighbours = bucket.filter((other) => sameSubnet(endpointOf(other), endpointOf(entry)));
          const rivals = neighbours.length >= MAX_NODES_PER_SUBNET ? neighbours : bucket;
          const hasRoom = bucket.length < LIST_SIZE && neighbours.length < MAX_NODES_PER_SUBNET;
          expect(offered).toBe(hasRoom || rivals.some((other) => !isGood(other)));
          if (evicted !== undefined) expect(isGood(evicted)).toBe(false);
          if (evicted !== undefined) expect(rivals).toContain(evicted);
        });
      }),
    );
  });

  it("never holds more than two good nodes of one /24 in a bucket, but any number of a LAN", () => {
    fc.assert(
      fc.property(fc.array(guest, { maxLength: 120 }), (guests) => {
        const list = new CloseList(SELF);
        offerAll(list, guests, () => {});
        const places = new Map<string, number>();
        for (const entry of list.nodes()) {
          if (isLan(entry)) continue;
          const place = `${bucketOf(entry)}/${endpointOf(entry).address[2]}`;
          places.set(place, (places.get(place) ?? 0) + 1);
        }
        expect(Math.max(0, ...places.values())).toBeLessThanOrEqual(MAX_NODES_PER_SUBNET);
      }),
    );
    const home = Array.from({ length: 8 }, (_, i) => {
      const key = SELF.slice();
      key[0] = 0xd5;
      key[31] = i;
      const entry = new NodeEntry(key as Uint8Array as PublicKey);
      entry.setAssociation(
        4,
        new Association(entry.publicKey, makeEndpoint(Uint8Array.of(127, 0, 0, 1), 1000 + i), NOW),
      );
      return { entry, isBad: false };
    });
    const list = new CloseList(SELF);
    offerAll(list, home, ({ offered }) => expect(offered).toBe(true));
  });
});

describe("a friend's list", () => {
  it("takes what is nearer than the farthest, bad ones first, no more than two of a /24", () => {
    fc.assert(
      fc.property(bytesOf(32), fc.array(guest, { maxLength: 60 }), (target, guests) => {
        const nearer = (a: NodeEntry, b: NodeEntry) => compareDistance(target, a.publicKey, b.publicKey);
        offerAll(new NearestList(target as Uint8Array as PublicKey), guests, ({ entry, before, offered, evicted }) => {
          const neighbours = before.filter((other) => sameSubnet(endpointOf(other), endpointOf(entry)));
          const isCrowded = neighbours.length >= MAX_NODES_PER_SUBNET;
          const rivals = isCrowded ? neighbours : before;
          const hasRoom = !isCrowded && before.length < LIST_SIZE;
          const isBetter = rivals.some((other) => !isGood(other) || nearer(entry, other) < 0);
          expect(offered).toBe(hasRoom || isBetter);
          if (evicted === undefined) return;
          expect(rivals).toContain(evicted);
          if (isGood(evicted)) {
            expect(rivals.every(isGood)).toBe(true);
            expect([...rivals].sort(nearer).at(-1)).toBe(evicted);
          }
        });
      }),
    );
  });

  it("ends with the nearest when all are good and none are neighbours", () => {
    fc.assert(
      fc.property(
        bytesOf(32),
        fc.uniqueArray(guest, { maxLength: 40, selector: ({ entry }) => entry.prefix }),
        (target, guests) => {
          const homely = guests.filter(({ entry, isBad }) => isLan(entry) && !isBad);
          const list = new NearestList(target as Uint8Array as PublicKey);
          offerAll(list, homely, () => {});
          const nearest = homely
            .map(({ entry }) => entry)
            .sort((a, b) => compareDistance(target, a.publicKey, b.publicKey));
          expect(new Set(list.nodes())).toEqual(new Set(nearest.slice(0, LIST_SIZE)));
        },
      ),
    );
  });

  it("always has a place for the one it is about, and never gives it away", () => {
    fc.assert(
      fc.property(guest, fc.array(guest, { maxLength: 40 }), fc.nat(), (friend, guests, at) => {
        const list = new NearestList(friend.entry.publicKey);
        const position = at % (guests.length + 1);
        const rest = guests.filter(({ entry }) => compareDistance(SELF, entry.publicKey, friend.entry.publicKey) !== 0);
        offerAll(list, rest.slice(0, position), () => {});
        list.offer(friend.entry, endpointOf(friend.entry), NOW, () => {});
        for (const { entry } of rest.slice(position)) list.offer(entry, endpointOf(entry), NOW, () => {});
        expect(list.has(friend.entry)).toBe(true);
        expect([...list.nodes()].length).toBeLessThanOrEqual(LIST_SIZE);
      }),
    );
  });
});
