import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PublicKey } from "../../../src/crypto/keys.ts";
import { CloseList } from "../../../src/dht/close_list.ts";
import { compareDistance } from "../../../src/dht/distance.ts";
import { NearestList } from "../../../src/dht/nearest_list.ts";
import { BAD_NODE_TIMEOUT } from "../../../src/dht/node_entry.ts";
import { NodeTable } from "../../../src/dht/node_table.ts";
import type { Endpoint } from "../../../src/env/datagram.ts";
import { Universe } from "../../../src/testing/index.ts";
import { makeEndpoint } from "../../../src/util/endpoint.ts";
import { bytesOf } from "../../support/arbitraries.ts";
import { hex } from "./dht_world.ts";

const SELF = new Uint8Array(32).fill(0x55) as Uint8Array as PublicKey;
const keyOf = (...bytes: number[]) =>
  Uint8Array.from({ length: 32 }, (_, i) => bytes[i] ?? 0) as Uint8Array as PublicKey;
const wan = (n: number, port = 33445): Endpoint => makeEndpoint(Uint8Array.of(198, 18, n, 1), port);
const lan = (n: number, port = 33445): Endpoint => makeEndpoint(Uint8Array.of(192, 168, 1, n), port);
const ipv6 = (n: number): Endpoint =>
  makeEndpoint(Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, n, 0, 0, 0, 0, 0, 0, 0, 1), 33445);

function setUp() {
  const universe = new Universe();
  const table = new NodeTable(universe.host("a").edges.clock, 7);
  table.addList(new CloseList(SELF));
  return { universe, table };
}

describe("the node table", () => {
  it("answers with the nearest good nodes, nearest first, as sorting everything does", () => {
    const node = fc.record({ key: bytesOf(32), isLan: fc.boolean() });
    fc.assert(
      fc.property(
        fc.uniqueArray(node, { maxLength: 40, selector: ({ key }) => hex(key) }),
        bytesOf(32),
        fc.boolean(),
        (nodes, target, askLan) => {
          const { table } = setUp();
          const keys: Uint8Array[] = [];
          for (const [i, { key, isLan }] of nodes.entries()) {
            const confirmed = table.confirm(key as Uint8Array as PublicKey, isLan ? lan(i + 1) : wan(i));
            if (confirmed !== undefined && (askLan || !isLan)) keys.push(key);
          }
          keys.sort((a, b) => compareDistance(target, a, b));
          const closest = table.closest(target, 4, askLan).map((found) => hex(found.publicKey));
          expect(closest).toEqual(keys.slice(0, 4).map(hex));
        },
      ),
    );
  });

  it("tells LAN nodes to LAN askers only", () => {
    const { table } = setUp();
    table.confirm(keyOf(1), lan(1));
    table.confirm(keyOf(2), makeEndpoint(Uint8Array.of(127, 0, 0, 1), 1));
    table.confirm(keyOf(3), wan(1));
    expect(table.closest(keyOf(), 4, false).map((node) => node.publicKey[0])).toEqual([3]);
    expect(table.closest(keyOf(), 4, true).map((node) => node.publicKey[0])).toEqual([1, 2, 3]);
  });

  it("keeps an IPv4 and an IPv6 address, and tells the family that is asked for", () => {
    const { table } = setUp();
    table.confirm(keyOf(1), wan(1));
    table.confirm(keyOf(1), ipv6(1));
    expect(table.size).toBe(1);
    expect(table.closest(keyOf(), 4, false, 4)[0]?.endpoint.family).toBe(4);
    expect(table.closest(keyOf(), 4, false, 6)[0]?.endpoint.family).toBe(6);
  });

  it("forgets the old key when another answers from the same address", () => {
    const { table } = setUp();
    table.confirm(keyOf(1), wan(1));
    table.confirm(keyOf(2), wan(1));
    expect(table.get(keyOf(1))).toBeUndefined();
    expect(table.size).toBe(1);
  });

  it("loses only the shared address of a node that has another", () => {
    const { table } = setUp();
    table.confirm(keyOf(1), wan(1));
    table.confirm(keyOf(1), ipv6(1));
    table.confirm(keyOf(2), wan(1));
    expect(table.get(keyOf(1))?.ipv4).toBeUndefined();
    expect(table.get(keyOf(1))?.ipv6).toBeDefined();
  });

  it("follows a node to a new address, but stays with its LAN address", () => {
    const { table } = setUp();
    table.confirm(keyOf(1), wan(1));
    table.confirm(keyOf(1), wan(2));
    expect(table.get(keyOf(1))?.ipv4?.endpoint).toEqual(wan(2));
    table.confirm(keyOf(1), lan(1));
    table.confirm(keyOf(1), wan(3));
    expect(table.get(keyOf(1))?.ipv4?.endpoint).toEqual(lan(1));
  });

  it("leaves its LAN address once that is bad", async () => {
    const { table, universe } = setUp();
    table.confirm(keyOf(1), lan(1));
    await universe.run(BAD_NODE_TIMEOUT);
    table.confirm(keyOf(1), wan(3));
    expect(table.get(keyOf(1))?.ipv4?.endpoint).toEqual(wan(3));
  });

  it("neither tells nor counts a node that has been silent too long", async () => {
    const { table, universe } = setUp();
    table.confirm(keyOf(1), wan(1));
    await universe.run(BAD_NODE_TIMEOUT - 1);
    expect(table.countGood()).toBe(1);
    await universe.run(2);
    expect(table.countGood()).toBe(0);
    expect(table.hasGood()).toBe(false);
    expect(table.closest(keyOf(), 4, true)).toEqual([]);
  });

  it("holds a node once for all lists, and as long as one has it", () => {
    const { table } = setUp();
    const friends = new NearestList(keyOf(9));
    table.addList(friends);
    table.confirm(keyOf(1), wan(1));
    expect(table.size).toBe(1);
    const entry = table.get(keyOf(1));
    expect(entry?.holders).toBe(2);
    table.removeList(friends);
    expect(entry?.holders).toBe(1);
    expect(table.get(keyOf(1))).toBe(entry);
    if (entry !== undefined) table.remove(entry);
    expect(table.size).toBe(0);
  });
});
