import { expect, it } from "vitest";
import type { Endpoint } from "../../../../src/env/datagram.ts";
import { mayPassOn } from "../../../../src/onion/server/relay_policy.ts";
import { makeEndpoint, parseAddress, sameEndpoint } from "../../../../src/util/endpoint.ts";

const at = (address: string) => makeEndpoint(parseAddress(address) ?? new Uint8Array(4), 33445);

it.each([
  // from, next, passed on
  ["203.0.113.9", "198.51.100.1", true],
  ["192.168.1.2", "198.51.100.1", true],
  ["192.168.1.2", "192.168.1.3", true],
  ["127.0.0.1", "127.0.0.1", true],
  ["10.0.0.1", "127.0.0.1", true],
  ["203.0.113.9", "192.168.1.3", false],
  ["203.0.113.9", "127.0.0.1", false],
  ["203.0.113.9", "169.254.1.1", false],
  ["203.0.113.9", "100.64.0.1", false],
  ["203.0.113.9", "0.0.0.0", false],
  ["192.168.1.2", "0.1.2.3", false],
  ["192.168.1.2", "255.255.255.255", false],
  ["192.168.1.2", "239.1.1.1", false],
  ["2001:db8::1", "2001:db8::2", true],
  ["2001:db8::1", "192.168.1.3", false],
  ["2001:db8::1", "192.168.1.33", true],
  ["203.0.113.9", "192.168.1.33", false],
  ["2001:db8::1", "::ffff:192.168.1.33", false],
  ["203.0.113.9", "::ffff:127.0.0.1", false],
  ["2001:db8::1", "127.0.0.1", false],
  ["2001:db8::1", "::1", false],
  ["2001:db8::1", "fe80::1", false],
  ["fe80::2", "fe80::1", true],
  ["203.0.113.9", "::1", false],
  ["fe80::2", "::", false],
  ["fe80::2", "ff02::1", false],
])("from %s to %s: %s", (from, next, passed) => {
  const isNodeAt = (endpoint: Endpoint) => sameEndpoint(endpoint, at("192.168.1.33"));
  expect(mayPassOn(at(from), at(next), isNodeAt)).toBe(passed);
});
