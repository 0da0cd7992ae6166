import { describe, expect, it } from "vitest";
import { addressText, EndpointCache } from "../../../src/node/endpoint_cache.ts";
import { formatEndpoint, makeEndpoint } from "../../../src/util/endpoint.ts";

describe("EndpointCache", () => {
  it("answers one object for each address and port", () => {
    const cache = new EndpointCache();
    const endpoint = cache.get("1.2.3.4", 5);
    expect(endpoint).toEqual(makeEndpoint(Uint8Array.of(1, 2, 3, 4), 5));
    expect(cache.get("1.2.3.4", 5)).toBe(endpoint);
    expect(cache.get("1.2.3.4", 6)).not.toBe(endpoint);
    expect(cache.get("1.2.3.5", 5)).not.toBe(endpoint);
    expect(cache.get("nonsense", 5)).toBeUndefined();
  });

  it("tells the ports of one address apart, in whatever order they come", () => {
    const cache = new EndpointCache();
    const ports = [5, 6, 7, 5, 7, 8, 6];
    const found = ports.map((port) => cache.get("1.2.3.4", port));
    expect(found.map((endpoint) => endpoint?.port)).toEqual(ports);
    expect(found.map((endpoint) => found.indexOf(endpoint))).toEqual([0, 1, 2, 0, 2, 5, 1]);
  });

  it("keeps the interface of a link-local address for the answer", () => {
    const endpoint = new EndpointCache().get("fe80::1%eth0", 5);
    if (endpoint === undefined) return expect.unreachable();
    expect(formatEndpoint(endpoint)).toBe("[fe80::1]:5");
    expect(addressText(endpoint)).toBe("fe80::1%eth0");
    expect(addressText(makeEndpoint(endpoint.address, 5))).toBe("fe80::1");
  });

  it("keeps the busy ones through a flood and forgets the quiet", () => {
    const cache = new EndpointCache(100);
    const busy = cache.get("10.0.0.1", 1);
    const quiet = cache.get("10.0.0.2", 1);
    for (let port = 1; port <= 1000; port++) {
      cache.get("10.9.9.9", port);
      if (port % 50 === 0) expect(cache.get("10.0.0.1", 1)).toBe(busy);
    }
    expect(cache.get("10.0.0.2", 1)).not.toBe(quiet);
  });
});
