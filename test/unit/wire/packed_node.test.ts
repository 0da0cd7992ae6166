import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PublicKey } from "../../../src/crypto/keys.ts";
import { makeEndpoint } from "../../../src/util/endpoint.ts";
import { type DropReason, ignoreDrop } from "../../../src/wire/drop.ts";
import {
  decodePackedNodes,
  encodePackedNode,
  encodePackedNodes,
  PACKED_NODE_IPV4_SIZE,
  PACKED_NODE_IPV6_SIZE,
  type PackedNode,
  packedNodeSize,
} from "../../../src/wire/packed_node.ts";
import { PacketId } from "../../../src/wire/packet_ids.ts";
import { arbitraryPackedNode } from "../../support/arbitraries.ts";
import { codecProperties } from "../../support/codec_properties.ts";
import { hex } from "../../support/hex.ts";

const LIMIT = 8;

codecProperties<PackedNode[]>("packed nodes", {
  arbitrary: fc.array(arbitraryPackedNode, { minLength: 1, maxLength: LIMIT }),
  encode: (nodes) => {
    const bytes = new Uint8Array(LIMIT * PACKED_NODE_IPV6_SIZE);
    return bytes.subarray(0, encodePackedNodes(bytes, 0, nodes));
  },
  decode: (bytes, drop) => decodePackedNodes(bytes, 0, LIMIT)?.nodes ?? drop("malformed"),
  variableLength: true,
});

const node: PackedNode = {
  publicKey: new Uint8Array(32).fill(7) as Uint8Array as PublicKey,
  endpoint: makeEndpoint(Uint8Array.of(1, 2, 3, 4), 33445),
};

describe("packed nodes", () => {
  it("are an IP_Port and a key, 39 or 51 bytes", () => {
    expect([PACKED_NODE_IPV4_SIZE, PACKED_NODE_IPV6_SIZE]).toEqual([39, 51]);
    const bytes = new Uint8Array(50).fill(0xee);
    expect(encodePackedNode(bytes, 1, node)).toBe(40);
    expect(bytes.slice(0, 41)).toEqual(hex(`ee 02 01020304 82a5 ${"07".repeat(32)} ee`));
  });

  it("take the room that was said", () => {
    fc.assert(
      fc.property(arbitraryPackedNode, (any) => {
        expect(encodePackedNode(new Uint8Array(60), 0, any)).toBe(packedNodeSize(any));
      }),
    );
  });

  it("are read up to the limit, and say where they end", () => {
    const bytes = new Uint8Array(5 * 39 + 3);
    encodePackedNodes(bytes, 3, [node, node, node, node, node]);
    expect(decodePackedNodes(bytes, 3, 4)).toMatchObject({ nodes: { length: 4 }, end: 3 + 4 * 39 });
    expect(decodePackedNodes(bytes, 3, 9)).toMatchObject({ nodes: { length: 5 }, end: bytes.length });
    expect(decodePackedNodes(bytes, 3, 0)).toEqual({ nodes: [], end: 3 });
    expect(decodePackedNodes(bytes, bytes.length, 4)).toEqual({ nodes: [], end: bytes.length });
  });

  it("are dropped together when one is cut short or of an unknown family", () => {
    const bytes = new Uint8Array(2 * 39);
    encodePackedNodes(bytes, 0, [node, node]);
    for (let length = 40; length < 78; length++) {
      expect(decodePackedNodes(bytes.subarray(0, length), 0, 4)).toBeUndefined();
    }
    bytes[39] = 3;
    expect(decodePackedNodes(bytes, 0, 4)).toBeUndefined();
  });

  it("do not stay tied to the packet", () => {
    const bytes = new Uint8Array(39);
    encodePackedNode(bytes, 0, node);
    const decoded = decodePackedNodes(bytes, 0, 1);
    bytes.fill(0);
    expect(decoded?.nodes).toEqual([{ ...node, transport: "udp" }]);
  });
});

describe("packet ids", () => {
  it("are bytes, each used once, and leave 0x1c for a Noise handshake", () => {
    const ids = Object.values<number>(PacketId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(Number.isInteger(id) && id >= 0 && id <= 255).toBe(true);
    expect(ids).not.toContain(0x1c);
  });
});

describe("ignoreDrop", () => {
  it("answers nothing, as every drop does", () => {
    const reasons: DropReason[] = ["truncated", "forged"];
    expect(reasons.map(ignoreDrop)).toEqual([undefined, undefined]);
  });
});
