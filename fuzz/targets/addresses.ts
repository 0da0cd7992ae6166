/** Addresses and nodes on the wire, and addresses in text. */
import { formatAddress, parseAddress } from "../../src/util/endpoint.ts";
import { fromUtf8, utf8 } from "../../src/util/text.ts";
import {
  decodeIpPort,
  decodeOnionIpPort,
  encodeIpPort,
  encodeOnionIpPort,
  type PackedIpPort,
} from "../../src/wire/ip_port.ts";
import { decodePackedNodes, encodePackedNodes, type PackedNode } from "../../src/wire/packed_node.ts";
import { atMost, broken, codec, family } from "../codec.ts";
import { FOUR_NODES, IPV4, IPV6, node, zeroPadded } from "../samples.ts";

const MOST_NODES = 4;

export const { fuzz, corpus, limitMs } = family(
  codec<PackedIpPort>({
    name: "IP_Port",
    samples: [
      { transport: "udp", endpoint: IPV4, size: 7 },
      { transport: "tcp", endpoint: IPV6, size: 19 },
    ],
    encode: (into, { endpoint, transport }) => encodeIpPort(into, 0, endpoint, transport),
    decode: (bytes, drop) => decodeIpPort(bytes, 0) ?? drop("malformed"),
    bounds: ({ size, endpoint }, bytes) => {
      atMost(bytes.length, size, "bytes taken");
      if (size !== (endpoint.family === 4 ? 7 : 19)) broken(`an address of ${size} bytes`, bytes);
    },
    canonical: (bytes) => bytes.slice(0, bytes[0] === 2 || bytes[0] === 130 ? 7 : 19),
  }),
  codec<PackedIpPort>({
    name: "onion IP_Port",
    samples: [
      { transport: "udp", endpoint: IPV6, size: 19 },
      { transport: "tcp", endpoint: IPV4, size: 19 },
    ],
    encode: (into, { endpoint, transport }) => encodeOnionIpPort(into, 0, endpoint, transport),
    decode: (bytes, drop) => decodeOnionIpPort(bytes, 0) ?? drop("malformed"),
    canonical: (bytes) => zeroPadded(bytes.slice(0, 19)),
  }),
  codec<readonly PackedNode[]>({
    name: "packed nodes",
    samples: [[], [node(1, IPV4, "tcp")], FOUR_NODES],
    encode: (into, nodes) => encodePackedNodes(into, 0, nodes),
    decode: (bytes, drop) => decodePackedNodes(bytes, 0, MOST_NODES)?.nodes ?? drop("malformed"),
    bounds: (nodes) => atMost(MOST_NODES, nodes.length, "nodes"),
    canonical: (bytes) => bytes.slice(0, decodePackedNodes(bytes, 0, MOST_NODES)?.end),
  }),
  codec<Uint8Array>({
    name: "address in text",
    samples: ["1.2.3.4", "0.0.0.0", "::", "::1", "2001:db8::8:800:200c:417a", "1:0:0:2::3", "64:ff9b::c000:221"].map(
      (text) => parseAddress(text) ?? broken(`${text} is no address`),
    ),
    encode: (into, address) => {
      const text = utf8(formatAddress(address));
      into.set(text);
      return text.length;
    },
    decode: (bytes, drop) => parseAddress(fromUtf8(bytes)) ?? drop("malformed"),
    bounds: (address, bytes) => {
      if (address.length !== 4 && address.length !== 16) broken(`an address of ${address.length} bytes`, bytes);
    },
    // One IPv6 address has many spellings.
    canonical: (bytes) => (bytes.includes(0x3a) ? undefined : bytes),
  }),
);
