import fc from "fast-check";
import { expect, test } from "vitest";
import type { PublicKey } from "../../../../src/crypto/keys.ts";
import {
  choosePathNodes,
  differentNodes,
  relayedPathNodes,
  sameNetwork,
} from "../../../../src/onion/client/path_nodes.ts";
import { isLanAddress, makeEndpoint } from "../../../../src/util/endpoint.ts";
import type { PackedNode } from "../../../../src/wire/packed_node.ts";

function node(id: number, ...address: number[]): PackedNode {
  const publicKey = new Uint8Array(32).fill(id) as Uint8Array as PublicKey;
  return { publicKey, endpoint: makeEndpoint(Uint8Array.from(address), 33445) };
}

const wideNode = fc
  .tuple(fc.nat(60), fc.integer({ min: 1, max: 60 }))
  .map(([network, id]) => node(id, 198, 18, network, id));
const lanNode = fc.integer({ min: 61, max: 120 }).map((id) => node(id, 192, 168, 1, id));
const distinct = { selector: ({ publicKey }: PackedNode) => publicKey[0] };
const destination = node(200, 198, 19, 0, 1);

test("no node known: no path; one node known: three times that one", () => {
  expect(choosePathNodes([], destination)).toBeUndefined();
  const only = node(1, 198, 18, 0, 1);
  expect(choosePathNodes([only], destination)).toEqual([only, only, only]);
  expect(choosePathNodes([destination], destination)).toEqual([destination, destination, destination]);
});

test("hops differ, and lie in different networks, wherever there is choice", () => {
  fc.assert(
    fc.property(fc.uniqueArray(wideNode, { minLength: 1, maxLength: 24, ...distinct }), (known) => {
      const path = choosePathNodes(known, destination);
      if (path === undefined) throw new Error("no path");
      expect(differentNodes(path)).toBe(Math.min(3, known.length));
      const networks = new Set(known.map(({ endpoint }) => endpoint.address[2]));
      if (networks.size < 3) return;
      expect(new Set(path.map(({ endpoint }) => endpoint.address[2])).size).toBe(3);
    }),
  );
});

test("hops behind a relay are in other networks than it, and than one another", () => {
  const relay = { publicKey: node(99).publicKey, endpoint: makeEndpoint(Uint8Array.of(198, 18, 7, 9), 443) };
  const known = [node(1, 198, 18, 7, 1), node(2, 198, 18, 8, 1), node(3, 198, 18, 8, 2), node(4, 198, 18, 9, 1)];
  for (let turn = 0; turn < 4; turn++) {
    const path = relayedPathNodes(relay, [...known.slice(turn), ...known.slice(0, turn)], destination);
    expect(path?.[0]).toEqual({ ...relay, transport: "tcp" });
    expect(
      path
        ?.slice(1)
        .map(({ endpoint }) => endpoint.address[2])
        .sort(),
    ).toEqual([8, 9]);
  }
  const unknown = relayedPathNodes({ ...relay, endpoint: undefined }, known, destination);
  expect(new Set(unknown?.slice(1).map(({ endpoint }) => endpoint.address[2])).size).toBe(2);
  expect(relayedPathNodes(relay, [], destination)).toBeUndefined();
});

test("LAN nodes and others are never mixed, and those of the Internet are preferred", () => {
  const known = fc
    .tuple(
      fc.uniqueArray(wideNode, { maxLength: 6, ...distinct }),
      fc.uniqueArray(lanNode, { minLength: 1, maxLength: 6, ...distinct }),
      fc.infiniteStream(fc.nat()),
    )
    .map(([wide, lan, order]) => {
      const keyed = [...wide, ...lan].map((item) => ({ item, at: order.next().value ?? 0 }));
      return { wide, nodes: keyed.sort((a, b) => a.at - b.at).map(({ item }) => item) };
    });
  fc.assert(
    fc.property(known, ({ wide, nodes }) => {
      const kinds = choosePathNodes(nodes, destination)?.map(({ endpoint }) => isLanAddress(endpoint.address)) ?? [];
      expect(kinds.length).toBe(3);
      expect(new Set(kinds).size).toBe(1);
      if (wide.length >= 3) expect(kinds[0]).toBe(false);
    }),
  );
});

test("the destination is no hop towards itself when three others are known", () => {
  const known = [destination, node(1, 198, 18, 1, 1), node(2, 198, 18, 2, 1), node(3, 198, 18, 3, 1)];
  expect(choosePathNodes(known, destination)).not.toContain(destination);
});

test("the exit has the destination's address family", () => {
  const v6 = (id: number) => node(id, 0x20, 1, 0xd, 0xb8, 0, id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
  const known = [v6(1), v6(2), v6(3), node(4, 198, 18, 4, 1), node(5, 198, 18, 5, 1), node(6, 198, 18, 6, 1)];
  expect(choosePathNodes(known, destination)?.[2].endpoint.family).toBe(4);
  expect(choosePathNodes(known, v6(9))?.[2].endpoint.family).toBe(6);
});

test("a network is a /24 or a /64, and no LAN", () => {
  const at = (...address: number[]) => makeEndpoint(Uint8Array.from(address), 1);
  expect(sameNetwork(at(198, 18, 1, 1), at(198, 18, 1, 2))).toBe(true);
  expect(sameNetwork(at(198, 18, 1, 1), at(198, 18, 2, 1))).toBe(false);
  expect(sameNetwork(at(10, 0, 0, 1), at(10, 0, 0, 2))).toBe(false);
  const v6 = (subnet: number, host: number) => at(0x20, 1, 0xd, 0xb8, 0, 0, 0, subnet, 0, 0, 0, 0, 0, 0, 0, host);
  expect(sameNetwork(v6(1, 1), v6(1, 2))).toBe(true);
  expect(sameNetwork(v6(1, 1), v6(2, 1))).toBe(false);
});
