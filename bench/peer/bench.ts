import { spawnSync } from "node:child_process";
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
  readonly #held = new Set<AsyncDisposable>();

  constructor(quick: boolean) {
    this.quick = quick;
    this.toxcore = libtoxcoreVersion();
    this.hasBootstrapd = spawnSync("tox-bootstrapd", ["--version"]).status === 0;
  }

  /** Those whose peers can be measured, in the order of their turns. */
  get sides(): readonly Side[] {
    return this.toxcore === undefined ? ["ours"] : ["ours", "theirs"];
  }

  /** Sees to it that something ends with the bench at the latest. */
  hold<T extends AsyncDisposable>(resource: T): T {
    this.#held.add(resource);
    return resource;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const held = [...this.#held].reverse();
    this.#held.clear();
    await Promise.allSettled(held.map((resource) => resource[Symbol.asyncDispose]()));
  }
}
