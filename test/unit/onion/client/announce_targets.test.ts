import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PublicKey } from "../../../../src/crypto/keys.ts";
import { compareDistance } from "../../../../src/dht/distance.ts";
import {
  type AnnounceTarget,
  AnnounceTargets,
  isWaiting,
  waitsUntil,
} from "../../../../src/onion/client/announce_targets.ts";
import { makeEndpoint } from "../../../../src/util/endpoint.ts";
import type { PackedNode } from "../../../../src/wire/packed_node.ts";

const KEY = new Uint8Array(32) as Uint8Array as PublicKey;
const LIMIT = 8;

/** A node at that distance from the key. */
function node(distance: number, network = distance, port = 1): PackedNode {
  const publicKey = new Uint8Array(32) as Uint8Array as PublicKey;
  publicKey[0] = distance;
  return { publicKey, endpoint: makeEndpoint(Uint8Array.of(198, 18, network, 1), port) };
}

const distances = (list: readonly AnnounceTarget[]) => list.map((target) => target.node.publicKey[0]);

function filled(...nodes: readonly PackedNode[]): AnnounceTargets {
  const targets = new AnnounceTargets(KEY, LIMIT);
  for (const each of nodes) {
    const target = targets.offer(each, 0);
    if (target) targets.answered(target, 0);
  }
  return targets;
}

describe("announce targets", () => {
  test("the nearest that answered are kept, in order", () => {
    const keys = fc.uniqueArray(fc.integer({ min: 0, max: 255 }), { maxLength: 60 });
    fc.assert(
      fc.property(keys, (given) => {
        const targets = filled(...given.map((distance) => node(distance)));
        expect(distances(targets.live)).toEqual([...given].sort((a, b) => a - b).slice(0, LIMIT));
        expect(targets.candidates.length).toBe(0);
        for (const target of targets.live) {
          const { publicKey } = target.node;
          expect(targets.rankOf(publicKey)).toBe(targets.live.indexOf(target));
          expect(compareDistance(KEY, publicKey, publicKey)).toBe(0);
        }
      }),
    );
  });

  test("known nodes, nodes without a port and farther ones than all are no candidates", () => {
    const targets = filled(...[1, 2, 3, 4, 5, 6, 7, 8].map((distance) => node(distance)));
    expect(targets.offer(node(3), 1)).toBeUndefined();
    expect(targets.offer(node(0, 1, 0), 1)).toBeUndefined();
    expect(targets.offer(node(9), 1)).toBeUndefined();
    expect(targets.offer(node(0), 1)).toBeDefined();
    expect(targets.offer(node(0), 1)).toBeUndefined();
  });

  test("a false address does not shut out the true one", () => {
    const targets = new AnnounceTargets(KEY, LIMIT);
    targets.offer(node(1, 7), 0);
    const honest = targets.offer(node(1, 8), 0);
    expect(honest).toBeDefined();
    if (honest) targets.answered(honest, 1);
    expect(targets.candidates).toEqual([]);
    expect(targets.live).toEqual([honest]);
  });

  test("candidates are few, the nearest of all that are named", () => {
    const targets = new AnnounceTargets(KEY, LIMIT);
    for (let distance = 255; distance >= 0; distance--) targets.offer(node(distance), 0);
    expect(distances(targets.candidates)).toEqual(Array.from({ length: 16 }, (_, i) => i));
  });

  test("one network gets a quarter of the places when others want them", () => {
    const crowd = filled(...[1, 2, 3, 4, 5, 6, 7, 8].map((distance) => node(distance, 1)));
    expect(crowd.live.length).toBe(8); // nobody else is there
    for (const distance of [20, 21, 22, 23, 24, 25, 26, 27]) {
      const target = crowd.offer(node(distance), 0);
      if (target) crowd.answered(target, 0);
    }
    expect(distances(crowd.live)).toEqual([1, 2, 20, 21, 22, 23, 24, 25]);
    expect(crowd.offer(node(3, 1), 0)).toBeUndefined();
    const nearer = crowd.offer(node(0, 1), 0);
    expect(nearer && crowd.answered(nearer, 0)).toBe(true);
    expect(distances(crowd.live)).toEqual([0, 1, 20, 21, 22, 23, 24, 25]);
  });

  test("silent ones are asked four times, stale ones once, and are then left alone for a while", () => {
    const targets = filled(...[1, 2, 3, 4, 5].map((distance) => node(distance)));
    const [first, second] = targets.live;
    if (!first || !second) throw new Error("no targets");
    Object.assign(first, { unanswered: 4, askedAt: 1_000 });
    Object.assign(second, { unanswered: 3, askedAt: 1_000 });
    targets.expire(3_999, 1_000);
    expect(targets.live.length).toBe(5);
    expect(isWaiting(first, 3_999, 1_000)).toBe(true);
    targets.expire(4_000, 1_000);
    expect(isWaiting(first, 4_000, 1_000)).toBe(false);
    expect(distances(targets.live)).toEqual([2, 3, 4, 5]);
    expect(targets.offer(node(1), 4_001)).toBeUndefined();
    expect(targets.offer(node(1), 20_000)).toBeDefined();
    Object.assign(second, { unanswered: 1, askedAt: 600_000 });
    targets.expire(601_000, 1_000);
    expect(distances(targets.live)).toEqual([3, 4, 5]);
  });

  test("are given up at the very time to which the alarm is set, whatever its fraction", () => {
    for (let i = 0; i < 200; i++) {
      const patience = 250 + i * Math.PI;
      const askedAt = 70_000 + i * Math.SQRT2;
      const targets = new AnnounceTargets(KEY, LIMIT);
      const only = targets.offer(node(1), 0);
      if (only === undefined) throw new Error("refused");
      Object.assign(only, { unanswered: 1 + (i % 4), askedAt });
      const end = waitsUntil(only, patience);
      expect(isWaiting(only, end, patience)).toBe(false);
      Object.assign(only, { answeredAt: end - 600_000 }); // stale: once is enough
      targets.expire(end, patience);
      expect(targets.candidates).toEqual([]);
    }
  });

  test("each repetition waits twice as long as the one before, but not longer than 3 s", () => {
    const targets = new AnnounceTargets(KEY, LIMIT);
    const only = targets.offer(node(1), 0);
    if (only === undefined) throw new Error("refused");
    const waits = [1, 2, 3, 4, 5].map((unanswered) => waitsUntil(Object.assign(only, { unanswered, askedAt: 0 }), 500));
    expect(waits).toEqual([500, 1_000, 2_000, 3_000, 3_000]);
  });

  test("whoever knows hardly anybody asks the silent ones again", () => {
    const targets = new AnnounceTargets(KEY, LIMIT);
    const only = targets.offer(node(1), 0);
    if (only) Object.assign(only, { unanswered: 4, askedAt: 0 });
    targets.expire(3_000, 1_000);
    expect(targets.candidates).toEqual([]);
    expect(targets.offer(node(1), 3_001)).toBeDefined();
  });
});
