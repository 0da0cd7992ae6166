import { describe, expect, it } from "vitest";
import { Crypto } from "../../../src/crypto/crypto.ts";
import { KeyBudget } from "../../../src/crypto/key_budget.ts";
import type { PublicKey } from "../../../src/crypto/keys.ts";
import { SharedKeyCache } from "../../../src/crypto/shared_key_cache.ts";
import type { Clock } from "../../../src/env/clock.ts";
import { sodiumProvider } from "../../../src/node/sodium_provider.ts";
import { SeededRandom } from "../../../src/testing/index.ts";

const GARBAGE = new Uint8Array(24 + 16 + 10);
const NONCE = new Uint8Array(24);

/** A clock that only computing moves on, by as much as the test says. */
function setUp(keyCost: number, shares: { forged?: number; all?: number } = {}) {
  const { forged = 0.2, all = 1 } = shares;
  let now = 1000;
  let made = 0;
  const clock: Clock = { monotonic: () => now, wall: () => 0, at: () => () => {} };
  const provider = {
    ...sodiumProvider,
    sharedKey(out: Uint8Array, publicKey: Uint8Array, secretKey: Uint8Array) {
      now += keyCost;
      made++;
      return sodiumProvider.sharedKey(out, publicKey, secretKey);
    },
  };
  const theirs = new Crypto(sodiumProvider, new SeededRandom("theirs"));
  const crypto = new Crypto(provider, new SeededRandom("ours"));
  const self = theirs.keyPair();
  const budget = new KeyBudget(clock, { forged, all: () => all });
  const cache = new SharedKeyCache(crypto, self.secretKey);
  /** Ten bytes in a box that somebody has sealed for us. */
  const sealed = (): [publicKey: PublicKey, box: Uint8Array] => {
    const { publicKey, secretKey } = theirs.keyPair();
    const key = theirs.sharedKey(self.publicKey, secretKey);
    return [publicKey, key === undefined ? GARBAGE : theirs.seal(new Uint8Array(10), NONCE, key)];
  };
  const open = (publicKey: Uint8Array, box: Uint8Array) => cache.openFromStranger(publicKey, box, NONCE, budget);
  /** How many keys `tries` packets make us compute, `gap` ms apart. */
  const count = (tries: number, gap: number, packet: () => unknown) => {
    made = 0;
    for (let i = 0; i < tries; i++) {
      now += gap;
      packet();
    }
    return made;
  };
  const key = new Uint8Array(32);
  const forge = () => {
    crypto.random.fill(key);
    return open(key, GARBAGE);
  };
  return {
    ...{ cache, sealed, open, forge },
    pass: (ms: number) => {
      now += ms;
    },
    madeByGarbage: (tries: number, gap: number) => count(tries, gap, forge),
    madeByRealPackets: (tries: number, gap: number) => count(tries, gap, () => open(...sealed())),
  };
}

describe("the budget for strangers' keys", () => {
  it("gives a flood of garbage its share of the time, and no more", () => {
    const { madeByGarbage } = setUp(0.05);
    madeByGarbage(20_000, 0.01); // what may be spent at once
    const start = 100_000;
    const count = madeByGarbage(start, 0.01);
    // Time passes by the gaps and by the keys: made × 0.05 is a fifth of made × 0.05 + 100,000 × 0.01.
    expect((count * 0.05) / (count * 0.05 + start * 0.01)).toBeCloseTo(0.2, 2);
  });

  it("gives those who can seal a box the share that is theirs", () => {
    const { madeByRealPackets } = setUp(1, { forged: 0.1, all: 0.4 });
    madeByRealPackets(200, 0.5);
    const count = madeByRealPackets(2_000, 0.5);
    expect(count / (count + 2_000 * 0.5)).toBeCloseTo(0.4, 2);
  });

  it("sets them no limit where nobody else needs the time, and lets them in beside a trickle of garbage", () => {
    const { madeByRealPackets, forge, open, sealed } = setUp(0.05, { forged: 0.05, all: 1 });
    expect(madeByRealPackets(3_000, 0)).toBe(3_000);
    for (let i = 0; i < 3_000; i++) {
      if (i % 30 === 0) expect(forge()).toBe("forged");
      expect(open(...sealed())).toBeInstanceOf(Uint8Array);
    }
  });

  it("counts garbage against the share of all as well", () => {
    const { madeByGarbage } = setUp(0.05, { forged: 0.9, all: 0.2 });
    madeByGarbage(20_000, 0.01);
    const count = madeByGarbage(100_000, 0.01);
    expect((count * 0.05) / (count * 0.05 + 100_000 * 0.01)).toBeCloseTo(0.2, 2);
  });

  it("lets a moderate number through, and what is quiet spare for later", () => {
    const { madeByGarbage, pass } = setUp(0.05);
    expect(madeByGarbage(10_000, 0.5)).toBe(10_000);
    pass(10_000);
    expect(madeByGarbage(1_000, 0)).toBeGreaterThan(990);
    expect(madeByGarbage(1_000, 0)).toBeLessThan(300);
  });

  it("allows few where keys are dear", () => {
    const { madeByGarbage } = setUp(2);
    madeByGarbage(100, 1);
    expect(madeByGarbage(10_000, 1)).toBeLessThan(10_000 * 0.15);
  });

  it("does not take a time in which others ran for the price of a key", () => {
    const { madeByGarbage } = setUp(10_000, { forged: 0, all: 0 });
    expect(madeByGarbage(9, 0)).toBe(9);
  });

  it("neither counts nor refuses those who are known, nor keys that we ask for ourselves", () => {
    const { cache, forge, open, sealed, madeByGarbage } = setUp(0.05, { forged: 0, all: 0 });
    const [friend, box] = sealed();
    const [stranger, firstBox] = sealed();
    cache.get(friend);
    expect(open(stranger, firstBox)).toHaveLength(10);
    madeByGarbage(5_000, 0);
    expect(forge()).toBe("rate-limited");
    expect(open(friend, box)).toHaveLength(10);
    expect(open(friend, GARBAGE)).toBe("forged");
    expect(open(stranger, firstBox)).toHaveLength(10);
    const [another, anothersBox] = sealed();
    expect(open(another, anothersBox)).toBe("rate-limited");
    expect(cache.open(another, anothersBox, NONCE)).toHaveLength(10);
  });

  it("names a weak key as such, and counts it as garbage", () => {
    const { open } = setUp(0.05, { forged: 0 });
    const answers = new Map<unknown, number>();
    for (let i = 0; i < 3_000; i++) {
      const answer = open(new Uint8Array(32), GARBAGE);
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
    expect([...answers.keys()]).toEqual(["weak-key", "rate-limited"]);
    expect(answers.get("weak-key")).toBeCloseTo(1_000, -1);
  });
});

describe("the parts of networks in the budget", () => {
  const at = (a: number, b = 1) => ({ family: 4 as const, address: Uint8Array.of(203, a >> 8, a & 0xff, b), port: 1 });

  function twoNetworks(all: number) {
    let now = 1000;
    const clock: Clock = { monotonic: () => now, wall: () => 0, at: () => () => {} };
    const budget = new KeyBudget(clock, { forged: 0.15, all: () => all });
    const ask = (network: number, isForged = false) => {
      const answer = budget.spend(() => {
        now += 1;
        return true;
      }, at(network));
      if (answer === true && isForged) budget.forged();
      return answer === true ? 1 : 0;
    };
    const pass = (ms: number) => {
      now += ms;
    };
    return { budget, ask, pass };
  }

  it("are all of it for who is alone", () => {
    const { ask, pass } = twoNetworks(1);
    let served = 0;
    for (let i = 0; i < 1000; i++) served += ask(1);
    expect(served).toBe(1000);
    pass(10);
  });

  it("are a quarter for who floods while others ask, and all that they ask for these", () => {
    const { ask, pass } = twoNetworks(1);
    let [flood, others] = [0, 0];
    for (let second = 0; second < 100; second++) {
      for (let i = 0; i < 1000; i++) {
        flood += ask(1);
        if (i % 20 === 0) others += ask(2 + (i % 7));
        pass(0.5);
      }
    }
    expect(others).toBe(5000);
    const time = flood + others + 50_000;
    expect(flood / time).toBeCloseTo(0.25, 1);
  });

  it("leave something for who begins to ask, though all is limited", () => {
    const { ask, pass } = twoNetworks(0.3);
    let flood = 0;
    for (let i = 0; i < 10_000; i++) {
      flood += ask(1);
      pass(0.5);
    }
    expect(flood / (flood + 5000)).toBeCloseTo(0.3, 1);
    for (let i = 0; i < 10; i++) expect(ask(2)).toBe(1);
    expect(ask(1)).toBe(0);
  });

  it("keep garbage from one network from using up what others' keys need", () => {
    const { ask, pass } = twoNetworks(1);
    for (let i = 0; i < 10_000; i++) {
      ask(1, true);
      pass(0.5);
    }
    for (let i = 0; i < 10; i++) expect(ask(2)).toBe(1);
  });

  it("are kept for a bounded number of networks", () => {
    const { ask } = twoNetworks(1);
    for (let i = 0; i < 5000; i++) expect(ask(i)).toBe(1);
  });
});
