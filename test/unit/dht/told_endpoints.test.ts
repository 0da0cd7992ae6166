import { describe, expect, it } from "vitest";
import type { PublicKey } from "../../../src/crypto/keys.ts";
import { ToldEndpoints } from "../../../src/dht/told_endpoints.ts";
import { makeEndpoint } from "../../../src/util/endpoint.ts";

const teller = (n: number) => new Uint8Array(32).fill(n) as Uint8Array as PublicKey;
const at = (n: number) => makeEndpoint(Uint8Array.of(198, 18, 0, n), 33445);

describe("told endpoints", () => {
  it("are news once, and again after a while", () => {
    const told = new ToldEndpoints();
    expect(told.add(at(1), teller(1), 0)).toBe(true);
    expect(told.add(at(1), teller(2), 1000)).toBe(false);
    expect(told.add(at(2), teller(2), 1000)).toBe(true);
    expect(told.add(at(1), teller(1), 30_000)).toBe(true);
  });

  it("come newest first and grow old", () => {
    const told = new ToldEndpoints();
    told.add(at(1), teller(1), 0);
    told.add(at(2), teller(2), 100_000);
    expect(told.endpoints(100_000)).toEqual([at(2), at(1)]);
    expect(told.endpoints(122_000)).toEqual([at(2)]);
    expect(told.tellers(122_000)).toEqual([teller(2)]);
  });

  it("give each teller one word, so that a liar does not crowd out the others", () => {
    const told = new ToldEndpoints();
    told.add(at(1), teller(1), 0);
    for (let i = 2; i < 200; i++) told.add(at(i), teller(2), i);
    expect(told.endpoints(200)).toEqual([at(199), at(1)]);
  });

  it("are bounded", () => {
    const told = new ToldEndpoints();
    for (let i = 1; i < 200; i++) told.add(at(i), teller(i), i);
    expect(told.endpoints(200).length).toBe(16);
  });
});
