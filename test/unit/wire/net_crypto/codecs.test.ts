import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Nonce } from "../../../../src/crypto/keys.ts";
import { ignoreDrop } from "../../../../src/wire/drop.ts";
import * as cookie from "../../../../src/wire/net_crypto/cookie.ts";
import * as cookieRequest from "../../../../src/wire/net_crypto/cookie_request.ts";
import * as cookieResponse from "../../../../src/wire/net_crypto/cookie_response.ts";
import * as cryptoData from "../../../../src/wire/net_crypto/crypto_data.ts";
import * as handshake from "../../../../src/wire/net_crypto/handshake.ts";
import * as packetRequest from "../../../../src/wire/net_crypto/packet_request.ts";
import {
  arbitraryNonce,
  arbitraryPublicKey,
  arbitraryU32,
  arbitraryU64,
  bytesOf,
} from "../../../support/arbitraries.ts";
import { codecProperties } from "../../../support/codec_properties.ts";

/** Encodes into a dirty buffer, so that a byte left unwritten shows. */
function encoding<T>(encode: (into: Uint8Array, packet: T) => number): (packet: T) => Uint8Array {
  return (packet) => {
    const into = new Uint8Array(2100).fill(0xa5);
    return into.slice(0, encode(into, packet));
  };
}

codecProperties("CookieContents", {
  arbitrary: fc.record({ madeAt: arbitraryU64, publicKey: arbitraryPublicKey, dhtPublicKey: arbitraryPublicKey }),
  encode: encoding(cookie.encodeCookieContents),
  decode: cookie.decodeCookieContents,
});

codecProperties("CookieRequest", {
  arbitrary: fc.record({ dhtPublicKey: arbitraryPublicKey, nonce: arbitraryNonce, box: bytesOf(88) }),
  encode: encoding(cookieRequest.encodeCookieRequest),
  decode: cookieRequest.decodeCookieRequest,
});

codecProperties("CookieRequestPlain", {
  arbitrary: fc.record({ publicKey: arbitraryPublicKey, echo: bytesOf(8) }),
  encode: encoding(cookieRequest.encodeCookieRequestPlain),
  decode: cookieRequest.decodeCookieRequestPlain,
});

codecProperties("CookieResponse", {
  arbitrary: fc.record({ nonce: arbitraryNonce, box: bytesOf(136) }),
  encode: encoding(cookieResponse.encodeCookieResponse),
  decode: cookieResponse.decodeCookieResponse,
});

codecProperties("CookieResponsePlain", {
  arbitrary: fc.record({ cookie: bytesOf(112), echo: bytesOf(8) }),
  encode: encoding(cookieResponse.encodeCookieResponsePlain),
  decode: cookieResponse.decodeCookieResponsePlain,
});

codecProperties("Handshake", {
  arbitrary: fc.record({ cookie: bytesOf(112), nonce: arbitraryNonce, box: bytesOf(248) }),
  encode: encoding(handshake.encodeHandshake),
  decode: handshake.decodeHandshake,
});

codecProperties("HandshakePlain", {
  arbitrary: fc.record({
    baseNonce: arbitraryNonce as fc.Arbitrary<Nonce>,
    sessionPublicKey: arbitraryPublicKey,
    cookieHash: bytesOf(64),
    otherCookie: bytesOf(112),
  }),
  encode: encoding(handshake.encodeHandshakePlain),
  decode: handshake.decodeHandshakePlain,
});

const data = fc
  .tuple(fc.integer({ min: 1, max: 255 }), fc.uint8Array({ maxLength: 1372 }))
  .map(([id, rest]) => Uint8Array.of(id, ...rest));

codecProperties("CryptoDataPlain", {
  arbitrary: fc.record({ bufferStart: arbitraryU32, packetNumber: arbitraryU32, data }),
  encode: encoding((into, plain) =>
    cryptoData.encodeCryptoDataPlain(into, plain.bufferStart, plain.packetNumber, plain.data),
  ),
  decode: cryptoData.decodeCryptoDataPlain,
  variableLength: true,
});

describe("CryptoDataPlain", () => {
  it("pads so that the length of 1,373 bytes and every 8 below are met", () => {
    fc.assert(
      fc.property(data, (bytes) => {
        const into = new Uint8Array(1400);
        const size = cryptoData.encodeCryptoDataPlain(into, 0, 0, bytes);
        expect((1381 - size) % 8).toBe(0);
        expect(size - 8 - bytes.length).toBeLessThan(8);
      }),
    );
  });

  it("takes only datagrams from 28 to 1,400 bytes", () => {
    const taken = [27, 28, 1400, 1401].map((size) => cryptoData.checkCryptoDataSize(new Uint8Array(size), ignoreDrop));
    expect(taken).toEqual([undefined, true, true, undefined]);
  });
});

const arrivals = fc.array(fc.boolean(), { maxLength: 1200 });

codecProperties("PacketRequest", {
  arbitrary: fc
    .oneof(
      arrivals.map((missing) => missing.flatMap((isMissing, offset) => (isMissing ? [offset] : []))),
      fc
        .array(fc.integer({ min: 1, max: 700 }), { maxLength: 40 })
        .map((gaps) => gaps.map((_, i) => gaps.slice(0, i + 1).reduce((sum, gap) => sum + gap) - 1)),
    )
    .map((missing) => ({ missing, span: (missing.at(-1) ?? -1) + 1 })),
  encode: encoding(packetRequest.encodePacketRequest),
  decode: packetRequest.decodePacketRequest,
  variableLength: true,
});

/** What toxcore's sender would do with a request, written from its description: walk the numbers one by one. */
function walk(packet: Uint8Array, span: number): { arrived: number[]; missing: number[] } {
  const [arrived, missing]: [number[], number[]] = [[], []];
  const bytes = [...packet.slice(1)];
  let counted = 1;
  for (let offset = 0; offset < span && bytes.length > 0; offset++) {
    if (bytes[0] === counted) {
      missing.push(offset);
      bytes.shift();
      counted = 0;
    } else {
      arrived.push(offset);
      if (counted === 255) {
        bytes.shift();
        counted = 0;
      }
    }
    counted++;
  }
  return { arrived, missing };
}

describe("a request packet", () => {
  const visit = (packet: Uint8Array, span: number) => {
    const [arrived, missing]: [number[], number[]] = [[], []];
    packetRequest.visitPacketRequest(packet, span, {
      arrived: (from, to) => {
        for (let offset = from; offset < to; offset++) arrived.push(offset);
      },
      missing: (offset) => missing.push(offset),
    });
    return { arrived, missing };
  };

  it("counts from 1 on buffer_start, and 0 means 255 more that arrived", () => {
    expect(visit(Uint8Array.of(1, 1), 10)).toEqual({ arrived: [], missing: [0] });
    expect(visit(Uint8Array.of(1, 1, 2, 1), 10)).toEqual({ arrived: [1], missing: [0, 2, 3] });
    const far = visit(Uint8Array.of(1, 1, 0, 1), 1000);
    expect(far.missing).toEqual([0, 256]);
    expect(far.arrived.length).toBe(255);
    expect(visit(Uint8Array.of(1, 255), 1000).missing).toEqual([254]);
  });

  it("says nothing of numbers behind the last listed one, and nothing at all when empty", () => {
    expect(visit(Uint8Array.of(1), 10)).toEqual({ arrived: [], missing: [] });
    expect(visit(Uint8Array.of(1, 3), 10)).toEqual({ arrived: [0, 1], missing: [2] });
  });

  it("is understood as by walking number by number, whatever its bytes", () => {
    const packets = fc.array(fc.oneof(fc.constantFrom(0, 1, 2, 254, 255), fc.integer({ min: 0, max: 255 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(packets, fc.integer({ min: 0, max: 3000 }), (bytes, span) => {
        const packet = Uint8Array.of(1, ...bytes);
        expect(visit(packet, span)).toEqual(walk(packet, span));
      }),
    );
  });

  it("lists what fits and no more", () => {
    const into = new Uint8Array(1400);
    const size = packetRequest.encodePacketRequestOf(into, 5000, () => true);
    expect(size).toBe(1373);
    expect(visit(into.subarray(0, size), 32768).missing.length).toBe(1372);
  });
});
