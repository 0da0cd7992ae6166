/** The onion's way out and back: requests in their layers, responses with their sendbacks. */
import {
  decodeDeliveredRequest,
  decodeOnionRequest,
  decodeOnionRequestLayer,
  encodeDeliveredRequest,
  encodeOnionRequest,
  encodeOnionRequestLayer,
  type OnionRequest,
} from "../../src/wire/onion/onion_request.ts";
import {
  decodeOnionResponse,
  decodeSealedSendback,
  decodeSendback,
  encodeOnionResponse,
  encodeSealedSendback,
  encodeSendback,
  type OnionResponse,
  type Sendback,
} from "../../src/wire/onion/onion_response.ts";
import { atMost, broken, codec, family } from "../codec.ts";
import { bytes, IPV4, IPV6, key, nonce, zeroPadded } from "../samples.ts";

export const { fuzz, corpus, limitMs } = family(
  codec<OnionRequest>({
    name: "OnionRequest",
    samples: [
      { layer: 0, nonce: nonce(1), publicKey: key(1), box: bytes(170), sendback: bytes(0) },
      { layer: 0, nonce: nonce(1), publicKey: key(1), box: bytes(1343), sendback: bytes(0) },
      { layer: 1, nonce: nonce(2), publicKey: key(2), box: bytes(103), sendback: bytes(59) },
      { layer: 2, nonce: nonce(3), publicKey: key(3), box: bytes(36), sendback: bytes(118) },
      { layer: 2, nonce: nonce(3), publicKey: key(3), box: bytes(1225), sendback: bytes(118) },
    ],
    beyond: [
      { layer: 0, nonce: nonce(1), publicKey: key(1), box: bytes(169), sendback: bytes(0) },
      { layer: 1, nonce: nonce(2), publicKey: key(2), box: bytes(102), sendback: bytes(59) },
      { layer: 2, nonce: nonce(3), publicKey: key(3), box: bytes(35), sendback: bytes(118) },
      { layer: 2, nonce: nonce(3), publicKey: key(3), box: bytes(1226), sendback: bytes(118) },
    ],
    encode: encodeOnionRequest,
    decode: decodeOnionRequest,
    bounds: ({ layer, box, sendback }) => {
      atMost(1400 - 57, box.length + sendback.length, "box and sendback");
      if (sendback.length !== 59 * layer) broken(`a sendback of ${sendback.length} bytes in layer ${layer}`);
    },
  }),
  codec({
    name: "OnionRequestLayer",
    samples: [
      { next: IPV4, data: bytes(1) },
      { next: IPV6, data: bytes(1300) },
    ],
    beyond: [
      { next: IPV4, data: bytes(0) },
      { next: { ...IPV6, port: 0 }, data: bytes(9) },
    ],
    encode: encodeOnionRequestLayer,
    decode: decodeOnionRequestLayer,
    bounds: ({ next, data }) => {
      if (next.port === 0 || data.length === 0) broken("a next hop without a port, or nothing for it");
    },
    canonical: zeroPadded,
  }),
  codec({
    name: "DeliveredRequest",
    samples: [
      { request: bytes(1), sendback: bytes(177) },
      { request: bytes(1223), sendback: bytes(177) },
    ],
    beyond: [
      { request: bytes(0), sendback: bytes(177) },
      { request: bytes(1224), sendback: bytes(177) },
    ],
    encode: encodeDeliveredRequest,
    decode: decodeDeliveredRequest,
    bounds: ({ request, sendback }) => {
      atMost(1400 - 177, request.length, "the request");
      if (sendback.length !== 177) broken(`a sendback of ${sendback.length} bytes`);
    },
  }),
  codec<OnionResponse>({
    name: "OnionResponse",
    samples: [
      { depth: 1, sendback: bytes(59), data: bytes(1) },
      { depth: 2, sendback: bytes(118), data: bytes(300) },
      { depth: 3, sendback: bytes(177), data: bytes(1222) },
    ],
    beyond: [
      { depth: 1, sendback: bytes(59), data: bytes(0) },
      { depth: 3, sendback: bytes(177), data: bytes(1223) },
    ],
    encode: encodeOnionResponse,
    decode: decodeOnionResponse,
    bounds: ({ depth, sendback, data }) => {
      atMost(1399, sendback.length + data.length, "sendback and data");
      if (sendback.length !== 59 * depth) broken(`a sendback of ${sendback.length} bytes at depth ${depth}`);
    },
  }),
  codec({
    name: "SealedSendback",
    samples: [
      { nonce: nonce(1), box: bytes(35) },
      { nonce: nonce(2), box: bytes(153) },
    ],
    encode: encodeSealedSendback,
    decode: decodeSealedSendback,
  }),
  codec<Sendback>({
    name: "Sendback",
    samples: [
      { from: IPV4, transport: "udp", rest: bytes(0) },
      { from: IPV6, transport: "udp", rest: bytes(118) },
      { from: IPV4, transport: "tcp", rest: bytes(59) },
    ],
    beyond: [{ from: { ...IPV4, port: 0 }, transport: "udp", rest: bytes(0) }],
    encode: encodeSendback,
    decode: decodeSendback,
    canonical: zeroPadded,
  }),
);
