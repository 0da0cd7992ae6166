import { describe, expect, it } from "vitest";
import { Calls } from "../../../src/av/calls.ts";
import type { Call, Friend } from "../../../src/core.ts";
import { silentLogger } from "../../../src/env/logger.ts";
import { MemoryMetrics } from "../../../src/env/metrics.ts";
import type { FriendFloor } from "../../../src/friend/plugged_floors.ts";
import { Timeline } from "../../../src/testing/timeline.ts";
import { VirtualClock } from "../../../src/testing/virtual_clock.ts";
import { decodeMsi, encodeMsi, type MsiMessage } from "../../../src/wire/av/msi.ts";
import { ignoreDrop } from "../../../src/wire/drop.ts";

const ALL = 60;

/** The calls of somebody with one friend, whose session has room for packets when a test says so. */
class Telephone {
  readonly timeline = new Timeline();
  readonly friend = { publicKey: "F".repeat(64) } as Friend;
  readonly calls: Calls;
  readonly signals: string[] = [];
  readonly ringing: Call[] = [];
  full = false;
  floor!: FriendFloor;
  #signal!: (friend: Friend, packet: Uint8Array) => void;

  constructor() {
    const friends = {
      plugIn: (floor: FriendFloor) => {
        this.floor = floor;
      },
      onPacket: (first: number, _: number, handler: (friend: Friend, packet: Uint8Array) => void) => {
        if (first === 69) this.#signal = handler;
        return () => {};
      },
      callMaker: undefined,
    };
    this.calls = new Calls({
      ...{ friends: friends as never, logger: silentLogger, metrics: new MemoryMetrics() },
      clock: new VirtualClock(this.timeline, 1_700_000_000),
      crypto: { random: { fill: () => {}, bytes: (count: number) => new Uint8Array(count) } } as never,
    });
    this.calls.events.on("incomingCall", (call) => void this.ringing.push(call));
    this.comes();
  }

  comes(): void {
    this.floor.up(this.friend, {
      ...{ online: true, capabilities: 0, roundTripMs: 50, setBulkSource: () => {}, bulkReady: () => {} },
      send: (packet) => {
        if (this.full) return false;
        const message = decodeMsi(packet, ignoreDrop);
        this.signals.push(message?.error ?? message?.request ?? "?");
        return true;
      },
      sendLossy: () => true,
    });
  }

  says(message: MsiMessage): void {
    this.#signal(this.friend, encodeMsi(message));
  }

  /** There is room again. */
  drain(): string[] {
    this.full = false;
    this.floor.writable(this.friend);
    return this.signals;
  }

  pass(ms: number): void {
    const end = this.timeline.now + ms;
    while (this.timeline.step(end));
    this.timeline.advance(end);
  }
}

describe("signals that find no room", () => {
  it("are all said later, in order: an end is not forgotten for the call behind it", () => {
    const telephone = new Telephone();
    const { calls, friend } = telephone;
    calls.call(friend, {});
    telephone.full = true;
    for (const { length } of [[], [], []]) {
      expect(length).toBe(0);
      calls.list[0]?.hangUp();
      calls.call(friend, {});
    }
    expect(telephone.drain()).toEqual(["init", "pop", "init"]);
  });

  it("are left out where he has heard of none of the call", () => {
    const telephone = new Telephone();
    telephone.full = true;
    telephone.calls.call(telephone.friend, {}).hangUp();
    expect(telephone.drain()).toEqual([]);
  });

  it("end a call that rings here before we call back", () => {
    const telephone = new Telephone();
    telephone.says({ request: "init", capabilities: ALL });
    telephone.full = true;
    telephone.ringing[0]?.hangUp();
    telephone.calls.call(telephone.friend, {});
    expect(telephone.drain()).toEqual(["pop", "init"]);
  });

  it("say the last of many changes", () => {
    const telephone = new Telephone();
    telephone.says({ request: "init", capabilities: ALL });
    telephone.ringing[0]?.answer();
    telephone.full = true;
    for (let i = 0; i < 7; i++) {
      telephone.ringing[0]?.pause();
      telephone.ringing[0]?.resume();
    }
    expect(telephone.drain()).toEqual(["push", "push"]);
  });
});

describe("a friend who never stops", () => {
  const flood = (message: MsiMessage) => {
    const telephone = new Telephone();
    for (let i = 0; i < 10_000; i++) {
      telephone.says(message);
      if (i % 10 === 0) telephone.pass(1);
    }
    return telephone;
  };

  it("is not answered each time he says what makes no sense", () => {
    for (const message of [{ request: "push", capabilities: ALL }, { request: "init" }] as const) {
      const { signals } = flood(message);
      expect(signals.length).toBeGreaterThan(3);
      expect(signals.length).toBeLessThan(40);
    }
  });

  it("is never answered a pop", () => {
    for (const error of [undefined, "stray-message", "none"] as const) {
      expect(flood({ request: "pop", ...(error && { error }) }).signals).toEqual([]);
    }
  });

  it("calls and cancels: the app hears of a few of those, and all are over", () => {
    const telephone = new Telephone();
    for (let i = 0; i < 10_000; i++) {
      telephone.says({ request: "init", capabilities: ALL });
      telephone.says({ request: "pop" });
      if (i % 10 === 0) telephone.pass(1);
    }
    expect(telephone.ringing.length).toBeLessThan(12);
    expect(telephone.signals.length).toBeLessThan(40);
    expect([telephone.calls.list, telephone.timeline.size]).toEqual([[], 0]);
  });
});

describe("a call", () => {
  it("that ends because the friend is removed has vanished", async () => {
    const telephone = new Telephone();
    const call = telephone.calls.call(telephone.friend, {});
    telephone.floor.removed(telephone.friend);
    expect(await call.ended).toEqual({ reason: "vanished" });
  });

  it("whose end makes a listener call again is another one", async () => {
    const telephone = new Telephone();
    const { calls, friend } = telephone;
    const first = calls.call(friend, {});
    let second: Call | undefined;
    first.on("state", ({ state }) => {
      if (state === "ended") second = calls.call(friend, {});
    });
    telephone.says({ request: "pop" });
    expect(telephone.signals).toEqual(["init", "init"]);
    telephone.says({ request: "push", capabilities: ALL });
    expect([first.state, second?.state, calls.list]).toEqual(["ended", "active", [second]]);
  });

  it("of options that cannot be leaves nothing behind", () => {
    const telephone = new Telephone();
    for (const options of [{ audioBitRate: Number.NaN }, { videoBitRate: 0 }, { audioBitRate: 600_000 }]) {
      expect(() => telephone.calls.call(telephone.friend, options)).toThrow(
        expect.objectContaining({ code: "invalid-argument" }),
      );
    }
    expect([telephone.signals, telephone.calls.list]).toEqual([[], []]);
  });
});
