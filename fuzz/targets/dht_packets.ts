/** DHT packets, their payloads, and what else a DHT node takes from strangers. */
import {
  BOOTSTRAP_INFO_REQUEST_SIZE,
  decodeBootstrapInfoRequest,
  decodeBootstrapInfoResponse,
  encodeBootstrapInfoRequest,
  encodeBootstrapInfoResponse,
} from "../../src/wire/dht/bootstrap_info.ts";
import { decodeDhtPacket, encodeDhtPacket } from "../../src/wire/dht/dht_packet.ts";
import { decodeDhtRequest, encodeDhtRequest } from "../../src/wire/dht/dht_request.ts";
import { decodeLanDiscovery, encodeLanDiscovery } from "../../src/wire/dht/lan_discovery.ts";
import { decodeNatPing, encodeNatPing, type NatPing } from "../../src/wire/dht/nat_ping.ts";
import { decodeNodesRequestPayload, encodeNodesRequestPayload } from "../../src/wire/dht/nodes_request.ts";
import {
  decodeNodesResponsePayload,
  encodeNodesResponsePayload,
  type NodesResponsePayload,
} from "../../src/wire/dht/nodes_response.ts";
import { decodePingPayload, encodePingPayload, type PingPayload } from "../../src/wire/dht/ping.ts";
import { atMost, broken, codec, family } from "../codec.ts";
import { bytes, FOUR_NODES, IPV6, key, MAX_U64, node, nonce } from "../samples.ts";

export const { fuzz, corpus, limitMs } = family(
  codec({
    name: "DhtPacket",
    samples: [
      { id: 0, sender: key(1), nonce: nonce(1), box: bytes(16) },
      { id: 4, sender: key(2), nonce: nonce(2), box: bytes(229) },
    ],
    beyond: [
      { id: 0, sender: key(1), nonce: nonce(1), box: bytes(15) },
      { id: 0, sender: key(1), nonce: nonce(1), box: bytes(1992) },
    ],
    encode: encodeDhtPacket,
    decode: decodeDhtPacket,
    bounds: ({ box }) => atMost(2048 - 57, box.length, "the box"),
  }),
  codec<PingPayload>({
    name: "PingPayload",
    samples: [
      { id: 0, sendback: 1n },
      { id: 1, sendback: MAX_U64 },
    ],
    encode: encodePingPayload,
    decode: decodePingPayload,
  }),
  codec({
    name: "NodesRequestPayload",
    samples: [{ target: key(3), sendback: 2n }],
    encode: encodeNodesRequestPayload,
    decode: decodeNodesRequestPayload,
  }),
  codec<NodesResponsePayload>({
    name: "NodesResponsePayload",
    samples: [
      { nodes: [node(1)], sendback: 3n },
      { nodes: FOUR_NODES, sendback: MAX_U64 },
    ],
    beyond: [
      { nodes: [], sendback: 3n },
      { nodes: [1, 2, 3, 4, 5].map((seed) => node(seed)), sendback: 3n },
      { nodes: [node(1, IPV6, "tcp")], sendback: 3n },
    ],
    encode: encodeNodesResponsePayload,
    decode: decodeNodesResponsePayload,
    bounds: ({ nodes }) => {
      atMost(4, nodes.length, "nodes");
      if (nodes.length === 0 || nodes.some(({ transport }) => transport === "tcp")) broken("no node, or a TCP one");
    },
  }),
  codec({
    name: "DhtRequest",
    samples: [
      { receiver: key(1), sender: key(2), nonce: nonce(1), box: bytes(17) },
      { receiver: key(3), sender: key(4), nonce: nonce(2), box: bytes(951) },
    ],
    beyond: [
      { receiver: key(1), sender: key(2), nonce: nonce(1), box: bytes(16) },
      { receiver: key(3), sender: key(4), nonce: nonce(2), box: bytes(952) },
    ],
    encode: encodeDhtRequest,
    decode: decodeDhtRequest,
    bounds: ({ box }) => atMost(1040 - 89, box.length, "the box"),
  }),
  codec<NatPing>({
    name: "NatPing",
    samples: [
      { kind: "request", pingId: 4n },
      { kind: "response", pingId: MAX_U64 },
    ],
    encode: encodeNatPing,
    decode: decodeNatPing,
  }),
  codec({
    name: "LanDiscovery",
    samples: [{ publicKey: key(5) }],
    encode: encodeLanDiscovery,
    decode: decodeLanDiscovery,
  }),
  codec<true>({
    name: "BootstrapInfoRequest",
    samples: [true],
    encode: encodeBootstrapInfoRequest,
    decode: decodeBootstrapInfoRequest,
    // Whatever fills it up to its length says nothing; ours are zeros.
    canonical: (request) => new Uint8Array(BOOTSTRAP_INFO_REQUEST_SIZE).fill(request[0] ?? 0, 0, 1),
  }),
  codec({
    name: "BootstrapInfoResponse",
    samples: [
      { version: 1_000_002_018, motd: bytes(0) },
      { version: 0xffff_ffff, motd: bytes(256) },
    ],
    beyond: [{ version: 1, motd: bytes(257) }],
    encode: encodeBootstrapInfoResponse,
    decode: decodeBootstrapInfoResponse,
    bounds: ({ motd }) => atMost(256, motd.length, "the message of the day"),
  }),
);
