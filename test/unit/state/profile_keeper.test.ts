import { describe, expect, it } from "vitest";
import { memoryStore } from "../../../src/env/memory_store.ts";
import { ProfileKeeper } from "../../../src/state/profile_keeper.ts";
import { MemoryLogger } from "../../../src/testing/memory_logger.ts";
import { Universe } from "../../../src/testing/universe.ts";
import { ToxError } from "../../../src/util/tox_error.ts";

const MINUTE = 60_000;

/** A profile of one byte, its version, and a disk that can be full. */
class Desk {
  readonly universe = new Universe({ seed: "keeper" });
  readonly clock = this.universe.host("me").edges.clock;
  readonly logger = new MemoryLogger();
  readonly written: number[] = [];
  version = 0;
  drifting = false;
  full = false;
  tries = 0;
  readonly keeper: ProfileKeeper;

  constructor() {
    const store = memoryStore();
    store.write = async (_name, [version = -1]) => {
      this.tries++;
      if (this.full) throw new ToxError("disk-full", "Make room.");
      this.written.push(version);
    };
    this.keeper = new ProfileKeeper({
      ...{ store, clock: this.clock, logger: this.logger },
      snapshot: () => Uint8Array.of(this.version),
      isDrifting: () => this.drifting,
    });
  }

  change(): void {
    this.version++;
    this.keeper.changed();
  }

  pass(ms: number): Promise<void> {
    return this.universe.run(ms);
  }
}

describe("the keeper of a profile", () => {
  it("writes soon what our person does, once for all that he does at once", async () => {
    const desk = new Desk();
    for (let i = 0; i < 50; i++) desk.change();
    await desk.pass(199);
    expect(desk.written).toEqual([]);
    await desk.pass(1);
    expect(desk.written).toEqual([50]);
  });

  it("writes within a minute what changes by itself, however often it does", async () => {
    const desk = new Desk();
    for (let second = 0; second < 180; second++) {
      desk.keeper.drifted();
      await desk.pass(1_000);
    }
    expect(desk.tries).toBe(3);
  });

  it("looks at the nodes after ten seconds, and every ten minutes while the network answers, and writes nothing while it does not", async () => {
    const desk = new Desk();
    await desk.pass(60 * MINUTE);
    expect(desk.tries).toBe(0);
    desk.drifting = true;
    await desk.pass(60 * MINUTE);
    expect(desk.tries).toBe(6);
    const young = new Desk();
    young.drifting = true;
    await young.pass(11_000);
    expect(young.tries).toBe(1);
  });

  it("tries again what could not be written, with longer and longer pauses, and says so each time", async () => {
    const desk = new Desk();
    desk.full = true;
    desk.change();
    await desk.pass(200);
    const tries = [desk.tries];
    for (const pause of [5_000, 10_000, 20_000]) {
      await desk.pass(pause);
      tries.push(desk.tries);
    }
    expect(tries).toEqual([1, 2, 3, 4]);
    expect(desk.logger.lines.map(({ level }) => level)).toEqual(["error", "error", "error", "error"]);
    desk.full = false;
    await desk.pass(40_000);
    expect(desk.written).toEqual([1]);
  });

  it("does not hammer a full disk, however much changes meanwhile", async () => {
    const desk = new Desk();
    desk.full = true;
    for (let second = 0; second < 14; second++) {
      desk.change();
      await desk.pass(1_000);
    }
    expect(desk.tries).toBe(2);
  });

  it("answers for what was there when it was asked, though a write of something older is under way", async () => {
    const desk = new Desk();
    desk.change();
    const first = desk.keeper.save();
    desk.change();
    await Promise.all([first, desk.keeper.save()]);
    expect(desk.written).toEqual([1, 2]);
    await desk.keeper.save();
    expect(desk.tries).toBe(2);
  });

  it("writes at the end what has changed, and leaves no timer", async () => {
    const desk = new Desk();
    desk.drifting = true;
    desk.keeper.drifted();
    await desk.keeper.close();
    expect([desk.written, desk.clock.pending]).toEqual([[0], 0]);
  });

  it("leaves no timer either when the last write fails, or when it is abandoned", async () => {
    const desk = new Desk();
    desk.full = true;
    desk.change();
    await expect(desk.keeper.close()).rejects.toThrow("Make room.");
    expect(desk.clock.pending).toBe(0);
    const other = new Desk();
    other.change();
    other.keeper.abandon();
    expect([other.tries, other.clock.pending]).toEqual([0, 0]);
  });
});
