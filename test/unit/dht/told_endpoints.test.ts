import { describe, expect, it } from "vitest";
import type { PublicKey } from "../../../src/crypto/keys.ts";
import { ToldEndpoints } from "../../../src/dht/told_endpoints.ts";
import { makeEndpoint } from "../../../src/util/endpoint.ts";

const teller = (n: number) => new Uint8Array(32).fill(n) as Uint8Array as PublicKey;
const at = (n: number) => makeEndpoint(Uint8Array.of(198, 18, 0, n), 33445);
/** Every teller lives in a network of its own. */
const from = (n: number) => makeEndpoint(Uint8Array.of(198, 19, n, 1), 33445);

describe("told endpoints", () => {
  it("are news once, and again after a while", () => {
    const told = new ToldEndpoints();
    expect(told.add(at(1), teller(1), from(1), 0)).toBe(true);
    expect(told.add(at(1), teller(2), from(2), 1000)).toBe(false);
    expect(told.add(at(2), teller(2), from(2), 1000)).toBe(true);
    expect(told.add(at(1), teller(1), from(1), 30_000)).toBe(true);
  });

  it("come newest first and grow old", () => {
    const told = new ToldEndpoints();
    told.add(at(1), teller(1), from(1), 0);
    told.add(at(2), teller(2), from(2), 100_000);
    expect(told.endpoints(100_000)).toEqual([at(2), at(1)]);
    expect(told.endpoints(122_000)).toEqual([at(2)]);
    expect(told.tellers(122_000)).toEqual([teller(2)]);
  });

  it("give each teller one word, so that a liar does not crowd out the others", () => {
    const told = new ToldEndpoints();
    told.add(at(1), teller(1), from(1), 0);
    for (let i = 2; i < 200; i++) told.add(at(i), teller(2), from(2), i);
    expect(told.endpoints(200)).toEqual([at(199), at(1)]);
  });

  it("are bounded", () => {
    const told = new ToldEndpoints();
    for (let i = 1; i < 200; i++) told.add(at(i), teller(i), from(i), i);
    expect(told.endpoints(200).length).toBe(16);
  });

  describe("are agreed upon", () => {
    const seen = (n: number, port: number) => makeEndpoint(Uint8Array.of(198, 18, 0, n), port);

    it("by half of the tellers, in two networks, with the ports they see", () => {
      const told = new ToldEndpoints();
      told.add(seen(1, 5000), teller(1), from(1), 0);
      expect(told.agreed(4, 0)).toBeUndefined();
      told.add(seen(1, 5001), teller(2), from(1), 1);
      expect(told.agreed(4, 1)).toBeUndefined();
      told.add(seen(1, 5002), teller(3), from(3), 2);
      expect(told.agreed(4, 2)).toEqual({ address: seen(1, 1).address, ports: [5002, 5001, 5000] });
      expect(told.agreed(6, 2)).toBeUndefined();
    });

    it("by several networks of one customer as by one: he has all of a /48", () => {
      const told = new ToldEndpoints();
      const inHis48 = (n: number) =>
        makeEndpoint(Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 7, 0, n, ...new Uint8Array(8)), 1);
      for (let i = 1; i <= 4; i++) told.add(seen(1, 5000 + i), teller(i), inHis48(i), i);
      expect(told.agreed(4, 4)).toBeUndefined();
    });

    it("not when most say something else", () => {
      const told = new ToldEndpoints();
      for (let i = 1; i <= 2; i++) told.add(seen(1, 5000), teller(i), from(i), i);
      for (let i = 3; i <= 5; i++) told.add(seen(i, 5000), teller(i), from(i), i);
      expect(told.agreed(4, 5)).toBeUndefined();
    });

    it("not for addresses in the LAN, nor once they are old", () => {
      const told = new ToldEndpoints();
      const home = makeEndpoint(Uint8Array.of(192, 168, 0, 7), 33445);
      for (let i = 1; i <= 4; i++) told.add(home, teller(i), from(i), i);
      expect(told.agreed(4, 4)).toBeUndefined();
      for (let i = 1; i <= 4; i++) told.add(seen(1, 5000), teller(i), from(i), i);
      expect(told.agreed(4, 4)).toBeDefined();
      expect(told.agreed(4, 122_004)).toBeUndefined();
    });
  });
});
