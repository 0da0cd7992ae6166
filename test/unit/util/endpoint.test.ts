import { isIPv4 } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex } from "../../../src/util/bytes.ts";
import {
  endpointKey,
  formatAddress,
  formatEndpoint,
  isLanAddress,
  makeEndpoint,
  mappedIpv4,
  parseAddress,
  sameEndpoint,
} from "../../../src/util/endpoint.ts";
import { arbitraryEndpoint, bytesOf } from "../../support/arbitraries.ts";

const address = (text: string): Uint8Array => {
  const bytes = parseAddress(text);
  if (bytes === undefined) throw new Error(`${text} did not parse`);
  return bytes;
};

/** Zeros and ones mostly, so that runs of zeros are common. */
const sparseIpv6 = fc
  .array(fc.constantFrom(0, 0, 0, 1, 0xff), { minLength: 16, maxLength: 16 })
  .map((bytes) => Uint8Array.from(bytes));

describe("addresses in text", () => {
  it("parse to what was formatted", () => {
    fc.assert(
      fc.property(fc.oneof(bytesOf(4), bytesOf(16), sparseIpv6), (bytes) => {
        expect(parseAddress(formatAddress(bytes))).toEqual(bytes);
      }),
    );
  });

  it("mean the same to the system", () => {
    fc.assert(
      fc.property(fc.oneof(bytesOf(16), sparseIpv6), (bytes) => {
        // The URL parser has an IPv6 serializer of its own, which follows the same rules.
        expect(new URL(`http://[${formatAddress(bytes)}]/`).hostname).toBe(`[${formatAddress(bytes)}]`);
      }),
    );
  });

  it.each([
    ["20010db8000000000000000000000001", "2001:db8::1"],
    ["20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1"], // one group alone is not shortened
    ["20010000000000010000000000000001", "2001:0:0:1::1"], // the longest run
    ["20010db8000000000001000000000001", "2001:db8::1:0:0:1"], // the first of equal ones
    ["00000000000000000000000000000000", "::"],
    ["00000000000000000000000000000001", "::1"],
    ["00010000000000000000000000000000", "1::"],
    ["20010db800000000000000000000aabb", "2001:db8::aabb"],
  ])("%s is %s, as RFC 5952 has it", (hex, text) => {
    expect(formatAddress(fromHex(hex) ?? new Uint8Array())).toBe(text);
    expect(parseAddress(text.toUpperCase())).toEqual(fromHex(hex));
  });

  it.each([
    ["2001:0db8:0:0:0:0:0:1", "2001:db8::1"],
    ["::ffff:192.0.2.1", "::ffff:c000:201"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
  ])("takes %s for %s", (text, canonical) => {
    expect(formatAddress(address(text))).toBe(canonical);
  });

  it.each([
    "",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.-4",
    " 1.2.3.4",
    "1.2.3.4 ",
    "0x1.2.3.4",
    "1..2.3",
    "example.org",
    ":",
    ":::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "::1::",
    "12345::",
    "g::",
    "::1.2.3",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "fe80::1%eth0",
    "1:",
    ":1",
    "1:2:3:4:5:6:7:",
    "[::1]",
  ])("does not take %j", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it("are IPv4 ones exactly when Node says so", () => {
    const part = fc.oneof(fc.nat(300).map(String), fc.constantFrom("", "00", "01", "1e1", "2555"));
    const nearly = fc.array(part, { minLength: 3, maxLength: 5 }).map((parts) => parts.join("."));
    const texts = fc.oneof(nearly, fc.string({ unit: fc.constantFrom(..."0125."), maxLength: 16 }));
    fc.assert(
      fc.property(texts, (text) => {
        const bytes = parseAddress(text);
        expect(bytes !== undefined).toBe(isIPv4(text));
        if (bytes !== undefined) expect(bytes.join(".")).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."0123456789abf:.%g") }), (text) => {
        const bytes = parseAddress(text);
        if (bytes !== undefined) expect([4, 16]).toContain(bytes.length);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("endpoints", () => {
  it("have one key and are the same exactly when address and port are", () => {
    const few = fc
      .tuple(fc.constantFrom("1.2.3.4", "1.2.3.5", "::1", "::ffff:1.2.3.4"), fc.constantFrom(1, 2))
      .map(([text, port]) => makeEndpoint(address(text), port));
    fc.assert(
      fc.property(few, few, (a, b) => {
        const same = a.port === b.port && formatAddress(a.address) === formatAddress(b.address);
        expect(sameEndpoint(a, b)).toBe(same);
        expect(endpointKey(a) === endpointKey(b)).toBe(same);
      }),
    );
  });

  it("are written with brackets around IPv6", () => {
    expect(formatEndpoint(makeEndpoint(address("1.2.3.4"), 33445))).toBe("1.2.3.4:33445");
    expect(formatEndpoint(makeEndpoint(address("2001:db8::1"), 33445))).toBe("[2001:db8::1]:33445");
  });

  it("keep their own copy of the address", () => {
    fc.assert(
      fc.property(arbitraryEndpoint, ({ address: bytes, port }) => {
        const given = bytes.slice();
        const endpoint = makeEndpoint(given, port);
        given.fill(0xaa);
        expect(endpoint).toEqual({ family: bytes.length === 4 ? 4 : 6, address: bytes, port });
      }),
    );
  });
});

describe("isLanAddress", () => {
  it.each([
    ["127.0.0.1", true],
    ["127.255.255.255", true],
    ["10.0.0.0", true],
    ["11.0.0.0", false],
    ["172.15.255.255", false],
    ["172.16.0.0", true],
    ["172.31.255.255", true],
    ["172.32.0.0", false],
    ["192.168.255.1", true],
    ["192.169.0.1", false],
    ["169.254.1.1", true],
    ["169.255.1.1", false],
    ["100.63.255.255", false],
    ["100.64.0.0", true],
    ["100.127.255.255", true],
    ["100.128.0.0", false],
    ["8.8.8.8", false],
    ["198.18.0.1", false],
    ["::1", true],
    ["::2", false],
    ["::", false],
    ["fe80::1", true],
    ["febf::1", true],
    ["fec0::1", false],
    ["fd00::1", true],
    ["fdff:ffff::1", true],
    ["fc00::1", false],
    ["2001:db8::1", false],
    ["::ffff:10.1.2.3", true],
    ["::ffff:8.8.8.8", false],
  ])("%s: %s", (text, lan) => {
    expect(isLanAddress(address(text))).toBe(lan);
  });
});

describe("mappedIpv4", () => {
  it("finds the IPv4 address inside, and only there", () => {
    expect(mappedIpv4(address("::ffff:1.2.3.4"))).toEqual(address("1.2.3.4"));
    for (const text of ["::1.2.3.4", "::fffe:1.2.3.4", "1::ffff:1.2.3.4", "1.2.3.4"]) {
      expect(mappedIpv4(address(text))).toBeUndefined();
    }
  });
});
