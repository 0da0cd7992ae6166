/** What travels between a TCP relay and its clients: handshakes and the packets in frames. */
import {
  decodeTcpHandshakePlain,
  decodeTcpHandshakeRequest,
  decodeTcpHandshakeResponse,
  encodeTcpHandshakePlain,
  encodeTcpHandshakeRequest,
  encodeTcpHandshakeResponse,
} from "../../src/wire/tcp/handshake.ts";
import { decodeTcpPacket, encodeTcpPacket, type TcpPacket } from "../../src/wire/tcp/packets.ts";
import { atMost, codec, family } from "../codec.ts";
import { bytes, IPV4, IPV6, key, MAX_U64, nonce } from "../samples.ts";

export const { fuzz, corpus, limitMs } = family(
  codec({
    name: "TcpHandshakeRequest",
    samples: [{ publicKey: key(1), nonce: nonce(2), box: bytes(72) }],
    encode: encodeTcpHandshakeRequest,
    decode: decodeTcpHandshakeRequest,
  }),
  codec({
    name: "TcpHandshakeResponse",
    samples: [{ nonce: nonce(2), box: bytes(72) }],
    encode: encodeTcpHandshakeResponse,
    decode: decodeTcpHandshakeResponse,
  }),
  codec({
    name: "TcpHandshakePlain",
    samples: [{ sessionPublicKey: key(3), baseNonce: nonce(4) }],
    encode: encodeTcpHandshakePlain,
    decode: decodeTcpHandshakePlain,
  }),
  codec<TcpPacket>({
    name: "TcpPacket",
    samples: [
      { type: "routingRequest", publicKey: key(1) },
      { type: "routingResponse", connectionId: 0, publicKey: key(1) },
      { type: "routingResponse", connectionId: 255, publicKey: key(1) },
      { type: "connectNotice", connectionId: 16 },
      { type: "disconnectNotice", connectionId: 3 },
      { type: "ping", pingId: MAX_U64 },
      { type: "pong", pingId: 0n },
      { type: "oobSend", publicKey: key(2), data: bytes(1) },
      { type: "oobRecv", publicKey: key(2), data: bytes(1024) },
      { type: "onionRequest", data: bytes(159) },
      { type: "onionResponse", data: bytes(300) },
      { type: "forwardRequest", to: IPV4, data: bytes(10) },
      { type: "forwardRequest", to: IPV6, data: bytes(1792) },
      { type: "forwarding", data: bytes(0) },
      { type: "data", connectionId: 16, data: bytes(0) },
      { type: "data", connectionId: 255, data: bytes(2031) },
    ],
    beyond: [
      { type: "oobSend", publicKey: key(2), data: bytes(0) },
      { type: "oobSend", publicKey: key(2), data: bytes(1025) },
      { type: "onionRequest", data: bytes(158) },
      { type: "forwardRequest", to: IPV4, data: bytes(1793) },
      { type: "data", connectionId: 16, data: bytes(2032) },
    ],
    encode: encodeTcpPacket,
    decode: decodeTcpPacket,
    bounds: (_packet, whole) => atMost(2032, whole.length, "the packet"),
  }),
);
