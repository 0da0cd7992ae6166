import { describe, expect, it } from "vitest";
import type { PublicKey } from "../../../../src/crypto/keys.ts";
import { KnownNodes } from "../../../../src/onion/client/known_nodes.ts";
import { SeededRandom } from "../../../../src/testing/seeded_random.ts";
import { makeEndpoint } from "../../../../src/util/endpoint.ts";

const publicKey = new Uint8Array(32).fill(7) as Uint8Array as PublicKey;
const at = (...address: number[]) => ({ publicKey, endpoint: makeEndpoint(Uint8Array.from(address), 33445) });
const V4 = at(203, 0, 113, 1);
const V6 = at(0x20, 1, 0xd, 0xb8, ...new Array<number>(11).fill(0), 1);

describe("a node that is known without being met", () => {
  const only = (nodes: KnownNodes) => nodes.random(9, new SeededRandom(1));

  it.each([
    [V4, V6],
    [V6, V4],
  ])("and has two addresses is at its IPv4 one", (first, second) => {
    const nodes = new KnownNodes(1);
    nodes.give(first);
    nodes.give(second);
    expect(only(nodes)).toEqual([V4]);
  });

  it("is where it answers, and stays one that was given", () => {
    const nodes = new KnownNodes(1);
    nodes.give(V4);
    const moved = at(203, 0, 113, 9);
    nodes.answered(moved);
    expect(only(nodes)).toEqual([moved]);
    for (let i = 0; i < 20; i++) nodes.missed(publicKey);
    expect(only(nodes)).toEqual([moved]);
  });
});
