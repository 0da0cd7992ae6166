import type { FuzzTarget } from "../target.ts";
import type { Coverage } from "./coverage.ts";
import { execute, type Failure, sameFailure } from "./execution.ts";
import { minimise } from "./minimise.ts";
import { Mutator } from "./mutator.ts";

export interface CampaignOptions {
  readonly seed: string;
  /** Ends after so many executions… */
  readonly runs?: number;
  /** …or when so many milliseconds are over, whichever comes first. */
  readonly milliseconds?: number;
  /** Beside the target's own corpus. */
  readonly extra?: readonly Uint8Array[];
  /** With it inputs that reach new code join the corpus. */
  readonly coverage?: Coverage;
  /** Called with every input before it runs, so that somebody outside can tell what a target hangs on. */
  readonly onInput?: (input: Uint8Array) => void;
  /** Called with a failing input as it was found, before it is made smaller. */
  readonly onFinding?: (finding: Finding) => void;
}

export interface Finding {
  readonly failure: Failure;
  readonly input: Uint8Array;
  /** How many inputs ran before it. */
  readonly execution: number;
}

export interface CampaignResult {
  readonly executions: number;
  readonly milliseconds: number;
  /** Ours and those that were added. */
  readonly corpusSize: number;
  /** Those that were added by this campaign. */
  readonly grown: readonly Uint8Array[];
  readonly finding: Finding | undefined;
}

/** Inputs that join the corpus at most: more would only dilute it. */
const MAX_CORPUS = 4_096;
const MIN_INPUT_SIZE = 256;
export const MAX_INPUT_SIZE = 65_536;
/** How much happens between two looks at the coverage: enough that looking costs little. */
const BATCH_MS = 20;
const FIXED_BATCH = 64;

/** Runs the corpus and then mutations of it until one fails, or the time or the number of runs is over. */
export async function runCampaign(target: FuzzTarget, options: CampaignOptions): Promise<CampaignResult> {
  const started = performance.now();
  const { runs = Number.POSITIVE_INFINITY, milliseconds = Number.POSITIVE_INFINITY, coverage } = options;
  const corpus = [...target.corpus(), ...(options.extra ?? [])];
  const given = corpus.length;
  const longest = corpus.reduce((size, input) => Math.max(size, input.length), MIN_INPUT_SIZE);
  const mutator = new Mutator(options.seed, Math.min(MAX_INPUT_SIZE, longest + Math.ceil(longest / 2)));
  let executions = 0;

  const run = async (input: Uint8Array): Promise<Failure | undefined> => {
    options.onInput?.(input);
    return execute(target, input);
  };

  const result = (finding?: Finding): CampaignResult => ({
    executions,
    milliseconds: performance.now() - started,
    corpusSize: corpus.length,
    grown: corpus.slice(given),
    finding,
  });

  const minimised = async (failure: Failure, input: Uint8Array): Promise<CampaignResult> => {
    const found = { failure, input, execution: executions };
    const summary = result(found);
    options.onFinding?.(found);
    const smaller = await minimise(input, async (candidate) => {
      const other = await run(candidate);
      return other !== undefined && sameFailure(failure, other);
    });
    const again = (await run(smaller)) ?? failure;
    return { ...summary, finding: { failure: again, input: smaller, execution: executions } };
  };

  /** Finds what in the batch reached something new: halves run again, and where one shows something its halves do. */
  const grow = async (batch: readonly Uint8Array[]): Promise<void> => {
    if (coverage === undefined || corpus.length >= MAX_CORPUS) return;
    for (const input of batch) await run(input);
    if (!coverage.look({ remember: batch.length === 1 })) return;
    const middle = batch.length >> 1;
    if (middle === 0) corpus.push(...batch);
    else for (const half of [batch.slice(0, middle), batch.slice(middle)]) await grow(half);
  };

  for (const input of corpus.slice()) {
    const failure = await run(input);
    executions++;
    if (failure) return minimised(failure, input);
  }
  coverage?.look({ remember: true });

  let batch: Uint8Array[] = [];
  let batchEnd = performance.now() + BATCH_MS;
  const batchIsOver = () =>
    runs === Number.POSITIVE_INFINITY ? performance.now() >= batchEnd : batch.length >= FIXED_BATCH;
  while (executions < runs && performance.now() - started < milliseconds) {
    const input = mutator.mutate(pick(corpus, mutator), pick(corpus, mutator));
    const failure = await run(input);
    executions++;
    if (failure) return minimised(failure, input);
    if (coverage === undefined) continue;
    batch.push(input);
    if (!batchIsOver()) continue;
    if (coverage.look({ remember: false })) await grow(batch);
    batch = [];
    batchEnd = performance.now() + BATCH_MS;
  }
  return result();
}

const NOTHING = new Uint8Array(0);

/** One time in four one of the newest: they stand where few have been. */
function pick(corpus: readonly Uint8Array[], mutator: Mutator): Uint8Array {
  const newest = Math.min(corpus.length, 16);
  const index =
    mutator.below(4) === 0 ? corpus.length - 1 - mutator.below(newest || 1) : mutator.below(corpus.length || 1);
  return corpus[index] ?? NOTHING;
}
