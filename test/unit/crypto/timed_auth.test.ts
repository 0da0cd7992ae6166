import { describe, expect, it } from "vitest";
import { Crypto } from "../../../src/crypto/crypto.ts";
import { TimedAuth } from "../../../src/crypto/timed_auth.ts";
import { sodiumProvider } from "../../../src/node/sodium_provider.ts";
import { Universe } from "../../../src/testing/index.ts";
import { utf8 } from "../../../src/util/text.ts";

function authOf(windowSeconds: number) {
  const universe = new Universe();
  const { clock, random } = universe.host("alice").edges;
  const crypto = new Crypto(sodiumProvider, random);
  return { universe, auth: new TimedAuth(crypto, clock, windowSeconds), other: new TimedAuth(crypto, clock, 300) };
}

const data = utf8("the data");

describe("TimedAuth", () => {
  it("accepts what it made for the same data alone", () => {
    const { auth, other } = authOf(300);
    const made = auth.make(data);
    expect(made.length).toBe(32);
    expect(auth.check(made, data)).toBe(true);
    expect(auth.check(made, utf8("the"), utf8(" data"))).toBe(true);
    expect(auth.check(made, utf8("other data"))).toBe(false);
    expect(auth.check(made.subarray(0, 31), data)).toBe(false);
    expect(auth.check(new Uint8Array(32), data)).toBe(false);
    expect(auth.check(new Uint8Array(), data)).toBe(false);
    expect(other.check(made, data)).toBe(false);
  });

  it("is made over all of the data, however long, and is the caller's to keep", () => {
    const { auth } = authOf(300);
    for (const length of [0, 1, 247, 248, 249, 1_000, 5]) {
      const long = new Uint8Array(length).fill(7);
      const made = auth.make(long, data);
      expect(auth.check(made, long, data)).toBe(true);
      const copy = made.slice();
      long.fill(8, length - 1);
      expect(auth.check(made, long, data)).toBe(length === 0);
      expect(auth.check(made, long)).toBe(false);
      expect(made).toEqual(copy);
    }
  });

  it("accepts it for one window to two, wherever in a window it was made", async () => {
    for (const madeAt of [0, 1, 150_000, 299_999]) {
      const { universe, auth } = authOf(300);
      await universe.run(madeAt);
      const made = auth.make(data);
      await universe.run(300_000);
      expect(auth.check(made, data)).toBe(true);
      await universe.run(299_999 - madeAt);
      expect(auth.check(made, data)).toBe(true);
      await universe.run(1);
      expect(auth.check(made, data)).toBe(false);
      await universe.run(10_000_000);
      expect(auth.check(made, data)).toBe(false);
    }
  });

  it("accepts nothing older once closed", () => {
    const { auth } = authOf(300);
    const made = auth.make(data);
    auth.close();
    expect(auth.check(made, data)).toBe(false);
  });
});
