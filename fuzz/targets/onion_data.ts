/** Onion data for somebody who is announced, and the DHT keys that friends tell each other in it. */
import {
  type DhtPublicKeyPacket,
  decodeDhtPublicKeyPacket,
  decodeSealedDhtPublicKey,
  encodeDhtPublicKeyPacket,
  encodeSealedDhtPublicKey,
} from "../../src/wire/onion/dht_public_key.ts";
import {
  decodeOnionDataBody,
  decodeOnionDataRequest,
  decodeOnionDataResponse,
  encodeOnionDataBody,
  encodeOnionDataRequest,
  encodeOnionDataResponse,
} from "../../src/wire/onion/onion_data.ts";
import { atMost, codec, family } from "../codec.ts";
import { bytes, FOUR_NODES, IPV6, key, MAX_U64, node, nonce } from "../samples.ts";

export const { fuzz, corpus, limitMs } = family(
  codec({
    name: "OnionDataRequest",
    samples: [17, 300, 1085].map((size) => ({
      destination: key(1),
      nonce: nonce(1),
      temporaryKey: key(2),
      box: bytes(size),
    })),
    beyond: [16, 1086].map((size) => ({
      destination: key(1),
      nonce: nonce(1),
      temporaryKey: key(2),
      box: bytes(size),
    })),
    encode: encodeOnionDataRequest,
    decode: decodeOnionDataRequest,
    bounds: ({ box }) => atMost(1174 - 89, box.length, "the box"),
  }),
  codec({
    name: "OnionDataResponse",
    samples: [65, 300, 1012].map((size) => ({ nonce: nonce(2), temporaryKey: key(3), box: bytes(size) })),
    beyond: [64, 1013].map((size) => ({ nonce: nonce(2), temporaryKey: key(3), box: bytes(size) })),
    encode: encodeOnionDataResponse,
    decode: decodeOnionDataResponse,
    bounds: ({ box }) => atMost(1069 - 57, box.length, "the box"),
  }),
  codec({
    name: "OnionDataBody",
    samples: [
      { sender: key(4), box: bytes(17) },
      { sender: key(5), box: bytes(964) },
    ],
    beyond: [{ sender: key(4), box: bytes(16) }],
    encode: encodeOnionDataBody,
    decode: decodeOnionDataBody,
  }),
  codec<DhtPublicKeyPacket>({
    name: "DhtPublicKeyPacket",
    samples: [
      { noReplay: 1_700_000_000n, dhtPublicKey: key(6), nodes: [] },
      { noReplay: MAX_U64, dhtPublicKey: key(7), nodes: [node(1, IPV6, "tcp"), node(2)] },
      { noReplay: 0n, dhtPublicKey: key(8), nodes: FOUR_NODES },
    ],
    beyond: [{ noReplay: 1n, dhtPublicKey: key(8), nodes: [...FOUR_NODES, node(5)] }],
    encode: encodeDhtPublicKeyPacket,
    decode: decodeDhtPublicKeyPacket,
    bounds: ({ nodes }) => atMost(4, nodes.length, "nodes"),
  }),
  codec({
    name: "SealedDhtPublicKey",
    samples: [
      { sender: key(9), nonce: nonce(3), box: bytes(57) },
      { sender: key(9), nonce: nonce(4), box: bytes(261) },
    ],
    beyond: [56, 262].map((size) => ({ sender: key(9), nonce: nonce(3), box: bytes(size) })),
    encode: encodeSealedDhtPublicKey,
    decode: decodeSealedDhtPublicKey,
    bounds: ({ box }) => atMost(261, box.length, "the box"),
  }),
);
