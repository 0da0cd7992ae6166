import type { TargetFile } from "./find_targets.ts";
import { runInPhases } from "./phases.ts";
import type { RunReport } from "./watched_run.ts";

export interface ScheduleOptions {
  readonly seed: string;
  /** For all targets together. */
  readonly milliseconds?: number;
  /** For each target, instead of a time. */
  readonly runs?: number;
  /** How many targets run at once. */
  readonly lanes: number;
}

export interface TargetReport {
  readonly target: TargetFile;
  readonly report: RunReport;
}

/** The last of a lane has so long at least, when the others have taken longer than they should. */
const LEAST_MS = 1_000;

/** Runs all targets, dealt out over the lanes, and answers each as it ends. In a lane time is shared evenly. */
export async function* runAll(targets: readonly TargetFile[], options: ScheduleOptions): AsyncGenerator<TargetReport> {
  const deadline = performance.now() + (options.milliseconds ?? 0);
  const lanes = Array.from({ length: Math.min(options.lanes, targets.length) }, (_, lane) =>
    targets.filter((_target, index) => index % options.lanes === lane),
  );

  const next = async (lane: TargetFile[]): Promise<{ lane: TargetFile[]; ended: TargetReport | undefined }> => {
    const slice = Math.max(Math.min(LEAST_MS, options.milliseconds ?? 0), (deadline - performance.now()) / lane.length);
    const target = lane.shift();
    if (target === undefined) return { lane, ended: undefined };
    const limit = options.runs === undefined ? { milliseconds: slice } : { runs: options.runs };
    const report = await runInPhases({ file: target.file, seed: `${options.seed}/${target.name}`, ...limit });
    return { lane, ended: { target, report } };
  };

  const running = new Map(lanes.map((lane) => [lane, next(lane)]));
  while (running.size > 0) {
    const { lane, ended } = await Promise.race(running.values());
    if (ended === undefined) {
      running.delete(lane);
      continue;
    }
    running.set(lane, next(lane));
    yield ended;
  }
}
