import { sameBytes } from "../../src/util/bytes.ts";
import { Emitter } from "../../src/util/emitter.ts";
import { endpointKey, isLanAddress, makeEndpoint, sameEndpoint } from "../../src/util/endpoint.ts";
import { KeyMap } from "../../src/util/key_map.ts";
import { randomBelow, randomBytes } from "../../src/util/random_numbers.ts";
import { TimerHeap } from "../../src/util/timer_heap.ts";
import { callRows, type Part } from "./part.ts";
import { endpointOf, random } from "./quiet.ts";

type Calls = Record<string, () => unknown>;

const COUNT = 1000;

export const util: Part = {
  name: "util",
  about: `the small data structures, with ${COUNT} things in them`,
  async *rows(effort) {
    for (const family of [bytes, keyMaps, timers, endpoints]) yield* callRows(effort, family());
  },
};

/** Calls `take` with one item after another, in random order, as a table is asked in life. */
function inTurn<T>(items: readonly T[], take: (item: T) => unknown): () => unknown {
  const order = Array.from({ length: 4096 }, () => items[randomBelow(random, items.length)] as T);
  let next = 0;
  return () => take(order[next++ & 4095] as T);
}

function bytes(): Calls {
  const key = randomBytes(random, 32);
  const same = key.slice();
  const emitter = new Emitter<{ message: number }>();
  let sum = 0;
  emitter.on("message", (value) => {
    sum += value;
  });
  return {
    "32 bytes: compare with the same": () => sameBytes(key, same),
    "emitter: one listener": () => emitter.emit("message", sum),
  };
}

function keyMaps(): Calls {
  const keys = Array.from({ length: COUNT }, () => randomBytes(random, 32));
  const strangers = Array.from({ length: COUNT }, () => randomBytes(random, 32));
  const map = new KeyMap<number>(1);
  for (const [i, key] of keys.entries()) map.set(key, i);
  return {
    "KeyMap: find": inTurn(keys, (key) => map.get(key)),
    "KeyMap: miss": inTurn(strangers, (key) => map.get(key)),
    "KeyMap: set anew": inTurn(keys, (key) => map.set(key, 1)),
    "KeyMap: add and delete": inTurn(strangers, (key) => {
      map.set(key, 1);
      return map.delete(key);
    }),
  };
}

function timers(): Calls {
  const heap = new TimerHeap();
  const nothing = () => {};
  let now = 0;
  for (let i = 0; i < COUNT; i++) heap.add(randomBelow(random, 60_000), nothing);
  const delays = Array.from({ length: COUNT }, () => randomBelow(random, 60_000));
  return {
    "TimerHeap: set and cancel": inTurn(delays, (delay) => heap.add(now + delay, nothing)()),
    "TimerHeap: set, and take the next": inTurn(delays, (delay) => {
      heap.add(now + delay, nothing);
      now = heap.nextTime() ?? now;
      return heap.takeDue(now);
    }),
  };
}

function endpoints(): Calls {
  const known = Array.from({ length: COUNT }, (_, i) => endpointOf(i));
  const [one, same] = [endpointOf(1), endpointOf(1)];
  return {
    "endpoint: compare with its equal": () => sameEndpoint(one, same),
    "endpoint: key of a known one": inTurn(known, endpointKey),
    "endpoint: key of a new one": inTurn(known, ({ address, port }) => endpointKey(makeEndpoint(address, port))),
    "endpoint: is it in a LAN?": inTurn(known, ({ address }) => isLanAddress(address)),
  };
}
