import { describe, expect, it } from "vitest";
import type { StreamTarget } from "../../../src/env/stream.ts";
import type { PooledRelay } from "../../../src/relay/pooled_relay.ts";
import { chooseOwn as chooseOf, surplusOf } from "../../../src/relay/relay_choice.ts";
import type { RelayClient, RelayState } from "../../../src/relay/relay_client.ts";
import { KeyMap } from "../../../src/util/key_map.ts";
import { place } from "./pool_world.ts";

interface Sketch {
  readonly given?: boolean;
  readonly own?: boolean;
  readonly state?: RelayState;
  /** Of a ping, in ms. */
  readonly time?: number;
  readonly retryAt?: number;
  readonly ours?: boolean;
  readonly isNode?: boolean;
}

function relay(where: string | StreamTarget, sketch: Sketch = {}): PooledRelay {
  const { given = true, own = false, state, time, retryAt = 0, ours = false, isNode = false } = sketch;
  const address = typeof where === "string" ? place(where, 443) : where;
  return {
    publicKey: new Uint8Array(32) as PooledRelay["publicKey"],
    addresses: [address],
    ...{ given, isNode, own, retryAt },
    ourServer: ours ? place("127.0.0.1", 443) : undefined,
    client: state && ({ state, roundTripMs: time, connectMs: 5 } as RelayClient),
    paths: new KeyMap(),
    arriving: undefined,
    readyAt: undefined,
    failures: 0,
  };
}

const namesOf = (relays: readonly PooledRelay[]) =>
  relays.map(({ addresses: [address] }) =>
    address && "family" in address ? address.address.join(".") : address?.host,
  );
const chooseOwn = (all: readonly PooledRelay[], now: number, random: (count: number) => number, needed = true) =>
  chooseOf(all, now, needed, random);
const first = () => 0;
const last = (count: number) => count - 1;
const ready = { own: true, state: "ready" as const };

describe("which relays are connected to", () => {
  it("are five while none is ready, chosen at random, and none when three are", () => {
    const all = [1, 2, 3, 4, 5, 6, 7].map((i) => relay(`203.0.${i}.1`));
    expect(namesOf(chooseOwn(all, 0, first)).length).toBe(5);
    expect(namesOf(chooseOwn(all, 0, last))).not.toEqual(namesOf(chooseOwn(all, 0, first)));
    const three = [1, 2, 3].map((i) => relay(`203.1.${i}.1`, ready));
    expect(chooseOwn([...all, ...three], 0, first)).toEqual([]);
    expect(chooseOwn([...all, ...three.slice(1)], 0, first).length).toBe(3);
  });

  it("are nodes that may be relays only when relays are needed, and after those that are said to be some", () => {
    const all = [relay("203.0.1.1", { isNode: true }), relay("203.0.2.1"), relay("203.0.3.1", { given: false })];
    expect(namesOf(chooseOwn(all, 0, first, false))).toEqual(["203.0.2.1", "203.0.3.1"]);
    expect(namesOf(chooseOwn(all, 0, first))).toEqual(["203.0.2.1", "203.0.1.1", "203.0.3.1"]);
  });

  it("are in networks where there is none, as far as there are such", () => {
    const all = [relay("203.0.1.1"), relay("203.0.1.2"), relay("203.0.2.1"), relay({ host: "x.example", port: 443 })];
    expect(new Set(namesOf(chooseOwn(all, 0, first).slice(0, 3)))).toEqual(
      new Set(["203.0.1.1", "203.0.2.1", "x.example"]),
    );
    expect(chooseOwn(all, 0, first).length).toBe(4);
    const near = [relay("203.0.1.9", ready), relay("203.0.1.1"), relay("203.0.2.1")];
    expect(namesOf(chooseOwn(near, 0, first))[0]).toBe("203.0.2.1");
  });

  it("are not those that failed a moment ago, nor our own server", () => {
    const all = [relay("203.0.1.1", { retryAt: 10 }), relay("203.0.2.1", { ours: true }), relay("203.0.3.1")];
    expect(namesOf(chooseOwn(all, 9, first))).toEqual(["203.0.3.1"]);
    expect(namesOf(chooseOwn(all, 10, first)).sort()).toEqual(["203.0.1.1", "203.0.3.1"]);
  });

  it("are friends' only where the app has named too few, however many of those are ready", () => {
    const friends = [1, 2, 3].map((i) => relay(`203.9.${i}.1`, { ...ready, given: false }));
    const given = [1, 2].map((i) => relay(`203.0.${i}.1`));
    expect(namesOf(chooseOwn([...friends, ...given], 0, first)).sort()).toEqual(["203.0.1.1", "203.0.2.1"]);
    const told = relay("203.9.4.1", { given: false });
    expect(namesOf(chooseOwn([...given, told], 0, first))).toEqual(["203.0.1.1", "203.0.2.1", "203.9.4.1"]);
  });
});

describe("which of ours are given up", () => {
  it("are the slowest beyond three", () => {
    const all = [40, 10, 30, 20, 50].map((time, i) => relay(`203.0.${i}.1`, { ...ready, time }));
    expect(namesOf(surplusOf(all)).sort()).toEqual(["203.0.0.1", "203.0.4.1"]);
    expect(surplusOf(all.slice(0, 3))).toEqual([]);
    const waiting = relay("203.0.9.1", { own: true, state: "handshake" });
    expect(surplusOf([...all.slice(0, 3), waiting])).toEqual([]);
  });

  it("are those in one network with a faster one, and friends' before all", () => {
    const near = [1, 2, 3].map((time) => relay(`203.0.0.${time}`, { ...ready, time }));
    const far = [relay("203.0.1.1", { ...ready, time: 100 }), relay("203.0.2.1", { ...ready, time: 200 })];
    expect(namesOf(surplusOf([...near, ...far])).sort()).toEqual(["203.0.0.2", "203.0.0.3"]);
    const friends = relay("203.9.9.1", { ...ready, time: 1, given: false });
    expect(namesOf(surplusOf([...near, friends]))).toEqual(["203.9.9.1"]);
  });
});
