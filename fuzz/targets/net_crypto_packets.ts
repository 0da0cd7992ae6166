/** What opens a session and travels in it: cookies, handshakes, data, packet requests. */
import { decodeCookieContents, encodeCookieContents } from "../../src/wire/net_crypto/cookie.ts";
import {
  decodeCookieRequest,
  decodeCookieRequestPlain,
  encodeCookieRequest,
  encodeCookieRequestPlain,
} from "../../src/wire/net_crypto/cookie_request.ts";
import {
  decodeCookieResponse,
  decodeCookieResponsePlain,
  encodeCookieResponse,
  encodeCookieResponsePlain,
} from "../../src/wire/net_crypto/cookie_response.ts";
import {
  type CryptoDataPlain,
  checkCryptoDataSize,
  cryptoDataNonceTail,
  cryptoDataPacketSize,
  cryptoDataPlainSize,
  decodeCryptoDataPlain,
  encodeCryptoDataHeader,
  encodeCryptoDataPlain,
} from "../../src/wire/net_crypto/crypto_data.ts";
import {
  decodeHandshake,
  decodeHandshakePlain,
  encodeHandshake,
  encodeHandshakePlain,
} from "../../src/wire/net_crypto/handshake.ts";
import {
  decodePacketRequest,
  encodePacketRequest,
  type PacketRequest,
  visitPacketRequest,
} from "../../src/wire/net_crypto/packet_request.ts";
import { atMost, broken, codec, family } from "../codec.ts";
import { bytes, key, MAX_U64, nonce } from "../samples.ts";

/** What stands before a data packet's box, and the box. */
interface DataPacket {
  readonly nonceTail: number;
  readonly box: Uint8Array;
}

export const { fuzz, corpus, limitMs } = family(
  codec({
    name: "CookieContents",
    samples: [{ madeAt: MAX_U64, publicKey: key(1), dhtPublicKey: key(2) }],
    encode: encodeCookieContents,
    decode: decodeCookieContents,
  }),
  codec({
    name: "CookieRequest",
    samples: [{ dhtPublicKey: key(1), nonce: nonce(1), box: bytes(88) }],
    encode: encodeCookieRequest,
    decode: decodeCookieRequest,
  }),
  codec({
    name: "CookieRequestPlain",
    samples: [{ publicKey: key(2), echo: bytes(8) }],
    encode: encodeCookieRequestPlain,
    decode: decodeCookieRequestPlain,
    // Nobody looks at the second key; ours is zeros.
    canonical: (plain) => plain.slice().fill(0, 32, 64),
  }),
  codec({
    name: "CookieResponse",
    samples: [{ nonce: nonce(2), box: bytes(136) }],
    encode: encodeCookieResponse,
    decode: decodeCookieResponse,
  }),
  codec({
    name: "CookieResponsePlain",
    samples: [{ cookie: bytes(112), echo: bytes(8, 2) }],
    encode: encodeCookieResponsePlain,
    decode: decodeCookieResponsePlain,
  }),
  codec({
    name: "Handshake",
    samples: [{ cookie: bytes(112), nonce: nonce(3), box: bytes(248) }],
    encode: encodeHandshake,
    decode: decodeHandshake,
  }),
  codec({
    name: "HandshakePlain",
    samples: [{ baseNonce: nonce(4), sessionPublicKey: key(3), cookieHash: bytes(64), otherCookie: bytes(112, 3) }],
    encode: encodeHandshakePlain,
    decode: decodeHandshakePlain,
  }),
  codec<DataPacket>({
    name: "CryptoData",
    samples: [
      { nonceTail: 0, box: bytes(25) },
      { nonceTail: 0xffff, box: bytes(1397) },
    ],
    beyond: [24, 1398].map((size) => ({ nonceTail: 7, box: bytes(size) })),
    encode: (into, { nonceTail, box }) => {
      encodeCryptoDataHeader(into, nonceTail);
      into.set(box, 3);
      return cryptoDataPacketSize(box.length - 16);
    },
    decode: (packet, drop) =>
      checkCryptoDataSize(packet, drop) && { nonceTail: cryptoDataNonceTail(packet), box: packet.subarray(3) },
    bounds: ({ box }, packet) => {
      atMost(1397, box.length, "the box");
      if (cryptoDataPlainSize(packet.length) !== box.length - 16) broken("the plain has another size than its box");
    },
    // By its id the packet came here, so nothing looks at the id again.
    canonical: (packet) => packet.with(0, 0x1b),
  }),
  codec<CryptoDataPlain>({
    name: "CryptoDataPlain",
    samples: [
      { bufferStart: 0, packetNumber: 0, data: bytes(1) },
      { bufferStart: 0xffff_fffe, packetNumber: 0xffff_ffff, data: bytes(700) },
      { bufferStart: 7, packetNumber: 9, data: bytes(1373) },
    ],
    beyond: [{ bufferStart: 1, packetNumber: 2, data: bytes(0) }],
    encode: (into, { bufferStart, packetNumber, data }) => encodeCryptoDataPlain(into, bufferStart, packetNumber, data),
    decode: decodeCryptoDataPlain,
    bounds: ({ data }) => {
      atMost(1373, data.length, "the data");
      if (data.length === 0 || data[0] === 0) broken("data without an id");
    },
    // Any number of zeros may pad it; how many of ours do follows from the length of the data.
    canonical: () => undefined,
  }),
  codec<PacketRequest>({
    name: "PacketRequest",
    samples: [
      { missing: [], span: 0 },
      { missing: [0, 1, 5, 254, 255, 600], span: 601 },
      { missing: Array.from({ length: 1372 }, (_, i) => i), span: 1372 },
    ],
    encode: encodePacketRequest,
    decode: decodePacketRequest,
    bounds: (request, packet) => {
      requestBounds(request);
      for (const span of [0, 1, 255, 1000]) visitBounds(packet, span);
    },
    canonical: (packet) => packet,
  }),
);

function requestBounds({ missing, span }: PacketRequest): void {
  atMost(1372, missing.length, "missing packets");
  atMost(1372 * 255, span, "the span");
  let last = -1;
  for (const offset of missing) {
    if (offset <= last || offset >= span) broken(`${offset} is listed behind ${last}, in a span of ${span}`);
    last = offset;
  }
}

/** A visitor hears of each number once, in order, and of none behind the sender's window. */
function visitBounds(packet: Uint8Array, span: number): void {
  let next = 0;
  const hear = (from: number, to: number): void => {
    if (from !== next || to <= from || to > span) broken(`hears of ${from} to ${to} after ${next}, of ${span}`, packet);
    next = to;
  };
  visitPacketRequest(packet, span, { arrived: hear, missing: (offset) => hear(offset, offset + 1) });
}
