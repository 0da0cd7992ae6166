import { type Nonce, type PublicKey, SHA512_SIZE } from "../../src/crypto/keys.ts";
import { randomBytes } from "../../src/util/random_numbers.ts";
import { decodeDhtPacket, encodeDhtPacket } from "../../src/wire/dht/dht_packet.ts";
import { decodeNodesRequestPayload, encodeNodesRequestPayload } from "../../src/wire/dht/nodes_request.ts";
import { decodeNodesResponsePayload, encodeNodesResponsePayload } from "../../src/wire/dht/nodes_response.ts";
import { decodePingPayload, encodePingPayload } from "../../src/wire/dht/ping.ts";
import { type Drop, ignoreDrop } from "../../src/wire/drop.ts";
import {
  decodeHandled,
  decodeMessageFragment,
  encodeHandled,
  encodeMessageFragment,
} from "../../src/wire/friend/extension.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/friend/message.ts";
import { decodeIpPort, decodeOnionIpPort, encodeIpPort, encodeOnionIpPort } from "../../src/wire/ip_port.ts";
import { COOKIE_SIZE, decodeCookieContents, encodeCookieContents } from "../../src/wire/net_crypto/cookie.ts";
import { decodeCookieRequest, encodeCookieRequest } from "../../src/wire/net_crypto/cookie_request.ts";
import {
  encodeCryptoDataPlain,
  MAX_SESSION_DATA_SIZE,
  plainBufferStart,
  plainDataAt,
  plainPacketNumber,
} from "../../src/wire/net_crypto/crypto_data.ts";
import {
  decodeHandshake,
  decodeHandshakePlain,
  encodeHandshake,
  encodeHandshakePlain,
} from "../../src/wire/net_crypto/handshake.ts";
import { encodePacketRequestOf, visitPacketRequest } from "../../src/wire/net_crypto/packet_request.ts";
import {
  decodeAnnounceRequest,
  decodeAnnounceRequestBody,
  encodeAnnounceRequest,
  encodeAnnounceRequestBody,
} from "../../src/wire/onion/announce_request.ts";
import {
  type AnnounceResponseBody,
  decodeAnnounceResponseBody,
  encodeAnnounceResponseBody,
} from "../../src/wire/onion/announce_response.ts";
import { decodeOnionDataRequest, encodeOnionDataRequest } from "../../src/wire/onion/onion_data.ts";
import {
  decodeOnionRequest,
  decodeOnionRequestLayer,
  encodeOnionRequest,
  encodeOnionRequestLayer,
} from "../../src/wire/onion/onion_request.ts";
import {
  decodeOnionResponse,
  decodeSendback,
  encodeOnionResponse,
  encodeSendback,
} from "../../src/wire/onion/onion_response.ts";
import { sendbackSize } from "../../src/wire/onion/sizes.ts";
import { decodePackedNodes, encodePackedNodes, type PackedNode } from "../../src/wire/packed_node.ts";
import { PacketId } from "../../src/wire/packet_ids.ts";
import { callRows, type Part } from "./part.ts";
import { endpointOf, random } from "./quiet.ts";

type Calls = Record<string, () => unknown>;

export const codecs: Part = {
  name: "codecs",
  about: "encoding and decoding of the packets that travel most, without their encryption",
  async *rows(effort) {
    for (const family of [sessions, handshakes, dht, onion, addresses, friends]) yield* callRows(effort, family());
  },
};

const bytes = (length: number) => randomBytes(random, length);
const key = () => bytes(32) as PublicKey;
const nonce = () => bytes(24) as Nonce;
const nodes = (count: number): PackedNode[] =>
  Array.from({ length: count }, (_, i) => ({ publicKey: key(), endpoint: endpointOf(i) }));

/** A row for writing `packet` into a buffer, and one for reading it back. */
function pair<T>(
  name: string,
  packet: T,
  encode: (into: Uint8Array, packet: T) => number,
  decode: (bytes: Uint8Array, drop: Drop) => T | undefined,
): Calls {
  const into = new Uint8Array(2048);
  const encoded = into.slice(0, encode(into, packet));
  if (decode(encoded, ignoreDrop) === undefined) throw new Error(`${name} does not read what it has written.`);
  return {
    [`${name}: encode`]: () => encode(into, packet),
    [`${name}: decode`]: () => decode(encoded, ignoreDrop),
  };
}

function sessions(): Calls {
  const into = new Uint8Array(2048);
  const calls: Calls = {};
  for (const size of [20, MAX_SESSION_DATA_SIZE]) {
    const data = bytes(size).fill(64, 0, 1);
    const plain = into.slice(0, encodeCryptoDataPlain(into, 1, 2, data));
    calls[`crypto data of ${size} bytes: encode`] = () => encodeCryptoDataPlain(into, 1, 2, data);
    calls[`crypto data of ${size} bytes: view`] = () =>
      plainBufferStart(plain) + plainPacketNumber(plain) + plainDataAt(plain, plain.length);
  }
  const isMissing = (offset: number) => offset % 50 === 7;
  const request = into.slice(0, encodePacketRequestOf(into, 1000, isMissing));
  let missed = 0;
  const visitor = {
    arrived: (from: number, to: number) => {
      missed -= to - from;
    },
    missing: () => {
      missed++;
    },
  };
  calls["packet request, 20 of 1,000 missing: encode"] = () => encodePacketRequestOf(into, 1000, isMissing);
  calls["packet request, 20 of 1,000 missing: visit"] = () => {
    visitPacketRequest(request, 1000, visitor);
    return missed;
  };
  return calls;
}

function handshakes(): Calls {
  const request = { dhtPublicKey: key(), nonce: nonce(), box: bytes(88) };
  const contents = { madeAt: 1n, publicKey: key(), dhtPublicKey: key() };
  const handshake = { cookie: bytes(COOKIE_SIZE), nonce: nonce(), box: bytes(248) };
  const plain = {
    baseNonce: nonce(),
    sessionPublicKey: key(),
    cookieHash: bytes(SHA512_SIZE),
    otherCookie: bytes(COOKIE_SIZE),
  };
  return {
    ...pair("cookie request", request, encodeCookieRequest, decodeCookieRequest),
    ...pair("cookie", contents, encodeCookieContents, decodeCookieContents),
    ...pair("handshake", handshake, encodeHandshake, decodeHandshake),
    ...pair("handshake, inside", plain, encodeHandshakePlain, decodeHandshakePlain),
  };
}

function dht(): Calls {
  const outer = { id: PacketId.NodesRequest, sender: key(), nonce: nonce(), box: bytes(56) };
  const request = { target: key(), sendback: 1n };
  const ping = { id: PacketId.PingRequest, sendback: 1n };
  return {
    ...pair("DHT packet", outer, encodeDhtPacket, decodeDhtPacket),
    ...pair("ping", ping, encodePingPayload, decodePingPayload),
    ...pair("nodes request", request, encodeNodesRequestPayload, decodeNodesRequestPayload),
    ...pair(
      "nodes response",
      { nodes: nodes(4), sendback: 1n },
      encodeNodesResponsePayload,
      decodeNodesResponsePayload,
    ),
  };
}

function onion(): Calls {
  const layer1 = {
    layer: 1,
    nonce: nonce(),
    publicKey: key(),
    box: bytes(400),
    sendback: bytes(sendbackSize(1)),
  } as const;
  const inner = { next: endpointOf(1), data: bytes(350) };
  const response = { depth: 2, sendback: bytes(sendbackSize(2)), data: bytes(250) } as const;
  const sendback = { from: endpointOf(1), transport: "udp", rest: bytes(sendbackSize(1)) } as const;
  const announce = { group: false, nonce: nonce(), publicKey: key(), box: bytes(120) };
  const body = {
    pingId: bytes(32),
    searchedKey: key(),
    dataPublicKey: key(),
    sendbackData: bytes(8),
    groupAnnounce: new Uint8Array(0),
  };
  const answer: AnnounceResponseBody = {
    isStored: 1,
    pingIdOrDataKey: key(),
    nodes: nodes(4),
    groupAnnounces: new Uint8Array(0),
  };
  const data = { destination: key(), nonce: nonce(), temporaryKey: key(), box: bytes(200) };
  return {
    ...pair("onion request", layer1, encodeOnionRequest, decodeOnionRequest),
    ...pair("onion request, inside", inner, encodeOnionRequestLayer, decodeOnionRequestLayer),
    ...pair("onion response", response, encodeOnionResponse, decodeOnionResponse),
    ...pair("sendback, inside", sendback, encodeSendback, decodeSendback),
    ...pair("announce request", announce, encodeAnnounceRequest, decodeAnnounceRequest),
    ...pair("announce request, inside", body, encodeAnnounceRequestBody, decodeAnnounceRequestBody),
    ...pair(
      "announce response, inside",
      answer,
      (into, packet) => encodeAnnounceResponseBody(into, packet, false),
      (plain, drop) => decodeAnnounceResponseBody(plain, false, drop),
    ),
    ...pair("onion data request", data, encodeOnionDataRequest, decodeOnionDataRequest),
  };
}

function addresses(): Calls {
  const endpoint = endpointOf(1);
  return {
    ...pair(
      "IP and port",
      endpoint,
      (into, to) => encodeIpPort(into, 0, to),
      (from) => decodeIpPort(from, 0)?.endpoint,
    ),
    ...pair(
      "IP and port, onion form",
      endpoint,
      (into, to) => encodeOnionIpPort(into, 0, to),
      (from) => decodeOnionIpPort(from, 0)?.endpoint,
    ),
    ...pair(
      "four packed nodes",
      nodes(4),
      (into, four) => encodePackedNodes(into, 0, four),
      (from) => decodePackedNodes(from, 0, 4)?.nodes,
    ),
  };
}

function friends(): Calls {
  const text = bytes(40);
  const mark = { epoch: 1n, sequence: 2n };
  const fragment = { ...mark, action: false, more: false, text };
  const message = encodeMessage({ action: false, text });
  const numbered = encodeMessageFragment(fragment);
  const handled = encodeHandled(mark);
  return {
    "message: encode": () => encodeMessage({ action: false, text }),
    "message: decode": () => decodeMessage(message, ignoreDrop),
    "numbered message: encode": () => encodeMessageFragment(fragment),
    "numbered message: decode": () => decodeMessageFragment(numbered, ignoreDrop),
    "handled: encode": () => encodeHandled(mark),
    "handled: decode": () => decodeHandled(handled, ignoreDrop),
  };
}
