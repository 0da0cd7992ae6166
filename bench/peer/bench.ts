import { spawnSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { libtoxcoreVersion } from "../../test/interop/available.ts";
import { Pairs } from "./peers.ts";

/** One line of the result. `null`: there is no such side, or it could not be measured. */
export interface Row {
  readonly work: string;
  readonly unit: string;
  readonly ours: number | null;
  readonly theirs: number | null;
  /** What one has to know to read the figures; printed, but not part of the JSON. */
  readonly note?: string;
}

/** What is measured: one or several rows that belong together. */
export interface Work {
  /** By which the command line names it. */
  readonly name: string;
  readonly describes: string;
  /** Whether most of its time is waiting, so that others may be measured meanwhile. */
  readonly waits?: true;
  measure(bench: Bench): Promise<Row[]>;
}

export type Side = "ours" | "theirs";

/** What all works share in one run. */
export class Bench {
  /** Fewer rounds, shorter windows. */
  readonly quick: boolean;
  /** The version of libtoxcore, where it is installed. */
  readonly toxcore: string | undefined;
  readonly hasBootstrapd: boolean;
  readonly pairs = new Pairs(this);
  readonly #started = new Set<Promise<AsyncDisposable>>(); // bounded by what the works start
  readonly #stop = new AbortController();

  constructor(quick: boolean) {
    this.quick = quick;
    this.toxcore = libtoxcoreVersion();
    this.hasBootstrapd = spawnSync("tox-bootstrapd", ["--version"]).status === 0;
  }

  /** Those whose peers can be measured, in the order of their turns. */
  get sides(): readonly Side[] {
    return this.toxcore === undefined ? ["ours"] : ["ours", "theirs"];
  }

  /** Starts something that ends with the bench at the latest. */
  start<T extends AsyncDisposable>(begin: () => T | Promise<T>): Promise<T> {
    this.#stop.signal.throwIfAborted();
    const starting = Promise.resolve(begin());
    this.#started.add(starting);
    return starting;
  }

  /** Rejects when the bench is stopped meanwhile. */
  async pause(milliseconds: number): Promise<void> {
    await delay(milliseconds, undefined, { signal: this.#stop.signal });
  }

  get isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Ends all that was started. What waits for it fails then. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the bench is over"));
    const started = [...this.#started].reverse();
    this.#started.clear();
    await Promise.allSettled(started.map(async (starting) => (await starting)[Symbol.asyncDispose]()));
  }
}
