import type { Endpoint } from "../../env/datagram.ts";
import { sameBytes } from "../../util/bytes.ts";
import { isLanAddress, makeEndpoint } from "../../util/endpoint.ts";
import type { PackedNode } from "../../wire/packed_node.ts";
import type { RelayHop } from "../ports.ts";

export type PathNodes = readonly [PackedNode, PackedNode, PackedNode];

/**
 * Three of `known` (in random order) for a path towards `destination`. They may repeat: toxcore works in a network of two
 * nodes, and so do we. Where there is choice they are different nodes, none of them the destination, in different
 * networks, and of the destination's address family, which the last one has to reach.
 *
 * LAN nodes are not mixed with others: a LAN address means nothing to a node on the Internet.
 */
export function choosePathNodes(known: readonly PackedNode[], destination: PackedNode): PathNodes | undefined {
  return choose(poolOf(known), [], destination);
}

/** As many as are lacking beside those that are chosen already. */
function choose(
  pool: readonly PackedNode[],
  already: readonly PackedNode[],
  destination: PackedNode,
): PathNodes | undefined {
  const chosen = [...already];
  for (let hop = already.length; hop < 3; hop++) {
    const best = leastUnfit(pool, chosen, destination);
    if (best !== undefined) chosen.push(best);
  }
  const [first, second, third] = chosen;
  return first && second && third && [first, second, third];
}

/** The same for a path that begins at a TCP relay, whose address may be unknown. */
export function relayedPathNodes(
  relay: RelayHop,
  known: readonly PackedNode[],
  destination: PackedNode,
): PathNodes | undefined {
  const { publicKey } = relay;
  const others = known.filter((node) => !sameBytes(node.publicKey, publicKey));
  const pool = poolOf(others.length > 0 ? others : known);
  const [any] = pool;
  if (any === undefined) return undefined;
  // Of one whose address is unknown nothing but the key counts: it is then where no other node is.
  const endpoint = relay.endpoint ?? NOWHERE;
  const nodes = choose(pool, [{ publicKey, endpoint, transport: "tcp" }], destination);
  return nodes && [{ ...nodes[0], endpoint: relay.endpoint ?? any.endpoint }, nodes[1], nodes[2]];
}

const NOWHERE = makeEndpoint(Uint8Array.of(127, 0, 0, 0), 1);

/** How many different nodes a path has, 1–3. */
export function differentNodes([first, second, third]: PathNodes): number {
  const repeats = [
    sameBytes(first.publicKey, second.publicKey),
    sameBytes(first.publicKey, third.publicKey) || sameBytes(second.publicKey, third.publicKey),
  ];
  return 3 - repeats.filter(Boolean).length;
}

/** Whether both lie in one /24 (IPv4) or /64 (IPv6): probably in one hand. Never so for LAN addresses. */
export function sameNetwork(a: Endpoint, b: Endpoint): boolean {
  if (a.family !== b.family || isLanAddress(a.address)) return false;
  const prefix = a.family === 4 ? 3 : 8;
  for (let i = 0; i < prefix; i++) if (a.address[i] !== b.address[i]) return false;
  return true;
}

function poolOf(known: readonly PackedNode[]): readonly PackedNode[] {
  const wide = known.filter((node) => !isLanAddress(node.endpoint.address));
  if (wide.length >= 3 || wide.length === known.length) return wide;
  const first = known[0];
  if (first === undefined || !isLanAddress(first.endpoint.address)) return wide;
  return known.filter((node) => isLanAddress(node.endpoint.address));
}

function leastUnfit(
  pool: readonly PackedNode[],
  chosen: readonly PackedNode[],
  destination: PackedNode,
): PackedNode | undefined {
  let best: PackedNode | undefined;
  let bestUnfitness = Number.POSITIVE_INFINITY;
  for (const node of pool) {
    const unfitness = unfitnessOf(node, chosen, destination);
    if (unfitness >= bestUnfitness) continue;
    best = node;
    bestUnfitness = unfitness;
  }
  return best;
}

function unfitnessOf(node: PackedNode, chosen: readonly PackedNode[], destination: PackedNode): number {
  let unfitness = 0;
  if (chosen.some((other) => sameBytes(other.publicKey, node.publicKey))) unfitness += 8;
  if (sameBytes(node.publicKey, destination.publicKey)) unfitness += 4;
  if (chosen.some((other) => sameNetwork(other.endpoint, node.endpoint))) unfitness += 2;
  if (node.endpoint.family !== destination.endpoint.family) unfitness += 1;
  return unfitness;
}
