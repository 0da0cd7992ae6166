import type { TargetFile } from "./find_targets.ts";
import { type RunOrder, type RunReport, runWatched } from "./watched_run.ts";

export interface ScheduleOptions {
  readonly seed: string;
  readonly coverage: boolean;
  /** For all targets together. */
  readonly milliseconds?: number;
  /** For each target, instead of a time. */
  readonly runs?: number;
  /** How many targets run at once. */
  readonly lanes: number;
}

/** Runs all targets and answers each as it ends. Time is shared: who is next gets its part of what is left. */
export async function* runAll(
  targets: readonly TargetFile[],
  options: ScheduleOptions,
): AsyncGenerator<{ target: TargetFile; report: RunReport }> {
  const { seed, coverage, runs, milliseconds = 0 } = options;
  const deadline = performance.now() + milliseconds;
  const waiting = [...targets];
  const running = new Map<TargetFile, Promise<{ target: TargetFile; report: RunReport }>>();

  const start = (target: TargetFile): void => {
    const turns = Math.max(1, (waiting.length + 1) / options.lanes);
    const slice = Math.max(1, (deadline - performance.now()) / turns);
    const limit = runs === undefined ? { milliseconds: slice } : { runs };
    const order: RunOrder = { file: target.file, seed: `${seed}/${target.name}`, coverage, ...limit };
    running.set(
      target,
      runWatched(order).then((report) => ({ target, report })),
    );
  };

  while (waiting.length > 0 || running.size > 0) {
    while (running.size < options.lanes) {
      const next = waiting.shift();
      if (next === undefined) break;
      start(next);
    }
    const ended = await Promise.race(running.values());
    running.delete(ended.target);
    yield ended;
  }
}
