import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeEndpoint } from "../../../src/util/endpoint.ts";
import type { Drop } from "../../../src/wire/drop.ts";
import {
  decodeIpPort,
  decodeOnionIpPort,
  encodeIpPort,
  encodeOnionIpPort,
  ONION_IP_PORT_SIZE,
  PACKED_IPV4_SIZE,
  PACKED_IPV6_SIZE,
  type PackedIpPort,
  type Transport,
} from "../../../src/wire/ip_port.ts";
import { arbitraryEndpoint } from "../../support/arbitraries.ts";
import { codecProperties } from "../../support/codec_properties.ts";
import { hex } from "../../support/hex.ts";

const arbitraryTransport = fc.constantFrom<Transport>("udp", "tcp");

/** The two decoders know no reasons: whoever calls them does. */
const orDropped =
  <T>(decode: (bytes: Uint8Array, at: number) => T | undefined) =>
  (bytes: Uint8Array, drop: Drop): T | undefined =>
    decode(bytes, 0) ?? drop("malformed");

codecProperties<PackedIpPort>("packed IP_Port", {
  arbitrary: fc.tuple(arbitraryEndpoint, arbitraryTransport).map(([endpoint, transport]) => {
    return { endpoint, transport, size: endpoint.family === 4 ? PACKED_IPV4_SIZE : PACKED_IPV6_SIZE };
  }),
  encode: ({ endpoint, transport }) => {
    const bytes = new Uint8Array(30);
    return bytes.subarray(0, encodeIpPort(bytes, 0, endpoint, transport));
  },
  decode: orDropped(decodeIpPort),
});

codecProperties<PackedIpPort>("onion IP_Port", {
  arbitrary: fc.tuple(arbitraryEndpoint, arbitraryTransport).map(([endpoint, transport]) => {
    return { endpoint, transport, size: ONION_IP_PORT_SIZE };
  }),
  encode: ({ endpoint, transport }) => {
    const bytes = new Uint8Array(30).fill(0xee);
    return bytes.subarray(0, encodeOnionIpPort(bytes, 0, endpoint, transport));
  },
  decode: orDropped(decodeOnionIpPort),
});

const ipv4 = makeEndpoint(Uint8Array.of(1, 2, 3, 4), 33445);
const ipv6 = makeEndpoint(hex("20010db8000000000000000000000001"), 443);

describe("IP_Port bytes", () => {
  const packed = (transport: Transport, endpoint = ipv4) => {
    const bytes = new Uint8Array(40).fill(0xee);
    const end = encodeIpPort(bytes, 2, endpoint, transport);
    expect([bytes[1], bytes[end]]).toEqual([0xee, 0xee]);
    return bytes.slice(2, end);
  };

  it("are family, address, port", () => {
    expect(packed("udp")).toEqual(hex("02 01020304 82a5"));
    expect(packed("tcp")).toEqual(hex("82 01020304 82a5"));
    expect(packed("udp", ipv6)).toEqual(hex("0a 20010db8000000000000000000000001 01bb"));
    expect(packed("tcp", ipv6)).toEqual(hex("8a 20010db8000000000000000000000001 01bb"));
  });

  it("have zeros behind an IPv4 address in the onion, overwriting what was there", () => {
    const bytes = new Uint8Array(25).fill(0xee);
    expect(encodeOnionIpPort(bytes, 2, ipv4)).toBe(21);
    expect(bytes).toEqual(hex("eeee 02 01020304 000000000000000000000000 82a5 eeeeeeee"));
  });

  it("are read from anywhere in a packet, whatever the padding", () => {
    const padded = hex("eeee 02 01020304 aaaaaaaaaaaaaaaaaaaaaaaa 82a5 ee");
    expect(decodeOnionIpPort(padded, 2)).toEqual({ endpoint: ipv4, transport: "udp", size: 19 });
    expect(decodeIpPort(hex("ee 82 01020304 82a5 ee"), 1)).toEqual({ endpoint: ipv4, transport: "tcp", size: 7 });
  });

  it("are of no other family", () => {
    for (let family = 0; family < 256; family++) {
      const bytes = new Uint8Array(40);
      bytes[0] = family;
      const known = [2, 10, 130, 138].includes(family);
      expect(decodeIpPort(bytes, 0) !== undefined).toBe(known);
      expect(decodeOnionIpPort(bytes, 0) !== undefined).toBe(known);
    }
  });

  it("do not stay tied to the packet", () => {
    const bytes = packed("udp");
    const decoded = decodeIpPort(bytes, 0);
    bytes.fill(0);
    expect(decoded?.endpoint).toEqual(ipv4);
  });

  it("may not start outside the packet", () => {
    for (const at of [7, 8, 1000]) {
      expect(decodeIpPort(packed("udp"), at)).toBeUndefined();
      expect(decodeOnionIpPort(packed("udp"), at)).toBeUndefined();
    }
  });
});
