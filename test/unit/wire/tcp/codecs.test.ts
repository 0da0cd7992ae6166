import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DropReason } from "../../../../src/wire/drop.ts";
import {
  decodeTcpHandshakePlain,
  decodeTcpHandshakeRequest,
  decodeTcpHandshakeResponse,
  encodeTcpHandshakePlain,
  encodeTcpHandshakeRequest,
  encodeTcpHandshakeResponse,
} from "../../../../src/wire/tcp/handshake.ts";
import { decodeTcpPacket, encodeTcpPacket, type TcpPacket } from "../../../../src/wire/tcp/packets.ts";
import {
  arbitraryEndpoint,
  arbitraryNonce,
  arbitraryPublicKey,
  arbitraryU64,
  bytesOf,
} from "../../../support/arbitraries.ts";
import { codecProperties } from "../../../support/codec_properties.ts";

const written = <T>(encode: (into: Uint8Array, packet: T) => number) => {
  return (packet: T): Uint8Array => {
    const into = new Uint8Array(4096);
    return into.slice(0, encode(into, packet));
  };
};

codecProperties("TcpHandshakeRequest", {
  arbitrary: fc.record({ publicKey: arbitraryPublicKey, nonce: arbitraryNonce, box: bytesOf(72) }),
  encode: written(encodeTcpHandshakeRequest),
  decode: decodeTcpHandshakeRequest,
});

codecProperties("TcpHandshakeResponse", {
  arbitrary: fc.record({ nonce: arbitraryNonce, box: bytesOf(72) }),
  encode: written(encodeTcpHandshakeResponse),
  decode: decodeTcpHandshakeResponse,
});

codecProperties("TcpHandshakePlain", {
  arbitrary: fc.record({ sessionPublicKey: arbitraryPublicKey, baseNonce: arbitraryNonce }),
  encode: written(encodeTcpHandshakePlain),
  decode: decodeTcpHandshakePlain,
});

const data = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
const id = fc.integer({ min: 0, max: 255 });
const arbitraryPacket: fc.Arbitrary<TcpPacket> = fc.oneof(
  fc.record({ type: fc.constant("routingRequest" as const), publicKey: arbitraryPublicKey }),
  fc.record({ type: fc.constant("routingResponse" as const), connectionId: id, publicKey: arbitraryPublicKey }),
  fc.record({ type: fc.constantFrom("connectNotice" as const, "disconnectNotice" as const), connectionId: id }),
  fc.record({ type: fc.constantFrom("ping" as const, "pong" as const), pingId: arbitraryU64 }),
  fc.record({
    type: fc.constantFrom("oobSend" as const, "oobRecv" as const),
    publicKey: arbitraryPublicKey,
    data: data(1, 1024),
  }),
  fc.record({ type: fc.constant("onionRequest" as const), data: data(159, 500) }),
  fc.record({ type: fc.constantFrom("onionResponse" as const, "forwarding" as const), data: data(0, 500) }),
  fc.record({ type: fc.constant("forwardRequest" as const), to: arbitraryEndpoint, data: data(0, 1792) }),
  fc.record({
    type: fc.constant("data" as const),
    connectionId: fc.integer({ min: 16, max: 255 }),
    data: data(0, 2031),
  }),
);

codecProperties("TcpPacket", {
  arbitrary: arbitraryPacket,
  encode: written(encodeTcpPacket),
  decode: decodeTcpPacket,
  variableLength: true,
});

describe("the packets of a TCP relay", () => {
  it("are laid out as toxcore has them", () => {
    const key = new Uint8Array(32).fill(7);
    expect(written(encodeTcpPacket)({ type: "routingResponse", connectionId: 16, publicKey: key as never })).toEqual(
      Uint8Array.of(1, 16, ...key),
    );
    expect(written(encodeTcpPacket)({ type: "ping", pingId: 258n })).toEqual(Uint8Array.of(4, 0, 0, 0, 0, 0, 0, 1, 2));
  });

  it.each([
    [[], "truncated"],
    [[12], "unknown-id"],
    [[15, 1], "unknown-id"],
    [[0, 1], "truncated"],
    [[2, 16, 0], "oversized"],
    [[4, 0, 0, 0, 0, 0, 0, 0], "truncated"],
    [[8, ...new Uint8Array(158)], "truncated"],
    [[10, 130, 1, 2, 3, 4, 0, 1], "malformed"],
    [[16, ...new Uint8Array(2032)], "oversized"],
  ] as const)("are dropped for what they are not: %#", (bytes, reason) => {
    const reasons: DropReason[] = [];
    const packet = decodeTcpPacket(Uint8Array.from(bytes), (why) => void reasons.push(why) as undefined);
    expect(packet).toBeUndefined();
    expect(reasons).toEqual([reason]);
  });
});
