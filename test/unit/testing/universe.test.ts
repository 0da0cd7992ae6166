import { describe, expect, it } from "vitest";
import type { DatagramSocket } from "../../../src/env/datagram.ts";
import { replaySeed, SEED_VARIABLE, type SimHost, Universe } from "../../../src/testing/index.ts";

const PORT = 33445;

const bind = (host: SimHost, port = PORT): Promise<DatagramSocket> => host.edges.datagrams.bind({ family: 4, port });

const sendTo = (socket: DatagramSocket, to: SimHost, ...bytes: number[]): boolean => {
  const buffer = socket.acquire();
  buffer.set(bytes);
  return socket.send(buffer, bytes.length, to.endpoint(PORT));
};

/** Hosts that pass packets on to random others: any difference soon changes everything after it. */
async function chatter(seed: number, ms = 3000): Promise<Universe> {
  const universe = new Universe({ seed, link: { loss: 0.01, duplication: 0.05, reordering: 0.1 } });
  universe.trace.start();
  const hosts = Array.from({ length: 10 }, (_, i) => universe.host(`host ${i}`));
  for (const host of hosts) {
    const socket = await bind(host);
    const sendOn = (...bytes: number[]) => {
      const next = hosts[host.edges.random.nextU32() % hosts.length];
      if (next) sendTo(socket, next, ...bytes);
    };
    socket.onDatagram = async (received) => {
      const bytes = [...received];
      await Promise.resolve();
      sendOn(...bytes, host.edges.random.nextU32());
    };
    host.edges.clock.at(10, () => sendOn(1, 2, 3));
  }
  await universe.run(ms);
  return universe;
}

describe("Universe", () => {
  it("has the same trace for the same seed, and another for another", async () => {
    const first = await chatter(7);
    const again = await chatter(7);
    const other = await chatter(8);
    expect(first.trace.count).toBeGreaterThan(500);
    expect(again.trace.entries).toEqual(first.trace.entries);
    expect(again.traceHash()).toBe(first.traceHash());
    expect(other.traceHash()).not.toBe(first.traceHash());
  });

  it("fires timers at their time, in the order they were set, on every host's clock", async () => {
    const universe = new Universe();
    const [alice, bob] = [universe.host("alice").edges.clock, universe.host("bob").edges.clock];
    const fired: string[] = [];
    const note = (what: string) => () => fired.push(`${what} ${universe.now}`);
    alice.at(200, note("a"));
    bob.at(100, note("b"));
    alice.at(100, note("c"));
    bob.at(150, note("never"))();
    alice.at(100.25, note("fraction"));
    alice.at(-5, note("overdue"));
    expect(fired).toEqual([]);
    expect([alice.pending, bob.pending]).toEqual([4, 1]);
    await universe.run(1000);
    expect(fired).toEqual(["overdue 0", "b 100", "c 100", "fraction 100.25", "a 200"]);
    expect([alice.pending, alice.fired, universe.now]).toEqual([0, 4, 1000]);
  });

  it("lets awaiting code run to its end before time moves on", async () => {
    const universe = new Universe();
    const { clock } = universe.host("alice").edges;
    const times: number[] = [];
    clock.at(10, async () => {
      for (let i = 0; i < 200; i++) await Promise.resolve();
      times.push(universe.now);
    });
    clock.at(10.001, () => times.push(-1));
    await universe.run(20);
    expect(times).toEqual([10, -1]);
  });

  it("keeps a wall clock that can be set", async () => {
    const universe = new Universe({ wallStart: 1_000_000 });
    const { clock } = universe.host("alice").edges;
    await universe.run(2500);
    expect(clock.wall()).toBe(1_000_002);
    clock.jumpWall(-3600);
    expect(clock.wall()).toBe(996_402);
    expect(clock.monotonic()).toBe(2500);
  });

  it("stops as soon as the condition holds", async () => {
    const universe = new Universe();
    let done = false;
    universe.at(123, () => {
      done = true;
    });
    universe.at(124, () => expect.unreachable());
    await universe.runUntil(() => done);
    expect(universe.now).toBe(123);
  });

  it("names what it waited for, the seed and the time", async () => {
    const universe = new Universe({ seed: "my seed" });
    const waiting = universe.runUntil(() => false, { what: "Godot", timeout: 1500 });
    await expect(waiting).rejects.toThrow(/Godot.*seed my seed, virtual time 1500\.000 ms/);
  });

  it("waits for promises and hands on how they end", async () => {
    const universe = new Universe();
    const later = <T>(settle: (resolve: (value: T) => void, reject: (error: Error) => void) => void) =>
      new Promise<T>((resolve, reject) => universe.at(universe.now + 50, () => settle(resolve, reject)));
    expect(await universe.wait(later<number>((resolve) => resolve(5)))).toBe(5);
    await expect(universe.wait(later((_, reject) => reject(new Error("no"))))).rejects.toThrow("no");
    const never = new Promise(() => {});
    await expect(universe.wait(never, { what: "the answer", timeout: 10 })).rejects.toThrow(/the answer/);
    expect(universe.now).toBe(110);
  });

  it("rejects with what a timer throws, the seed beside it", async () => {
    const universe = new Universe({ seed: 99 });
    universe.host("alice").edges.clock.at(5, () => {
      throw new Error("boom");
    });
    await expect(universe.run(10)).rejects.toThrow(/boom.*seed 99, virtual time 5\.000/);
    await universe.run(10);
  });

  it("refuses two runs at once, and events that never let time pass", async () => {
    const universe = new Universe();
    const { clock } = universe.host("alice").edges;
    const running = universe.run(1);
    await expect(universe.run(1)).rejects.toThrow(/running already/);
    await running;
    const again = () => {
      clock.at(0, again);
    };
    again();
    await expect(universe.run(1)).rejects.toThrow(/without time passing/);
  });

  it("takes the seed from the environment when there is one", () => {
    expect(replaySeed(5)).toBe(process.env[SEED_VARIABLE] ?? "5");
    const before = process.env[SEED_VARIABLE];
    process.env[SEED_VARIABLE] = "from outside";
    try {
      expect(replaySeed(5)).toBe("from outside");
    } finally {
      if (before === undefined) delete process.env[SEED_VARIABLE];
      else process.env[SEED_VARIABLE] = before;
    }
  });
});
