import { setImmediate as nextTurn } from "node:timers/promises";
import type { FuzzTarget } from "../target.ts";
import type { Coverage } from "./coverage.ts";
import { execute, type Failure, failureOf, sameFailure } from "./execution.ts";
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
  /** Counted from 1, the corpus included; 0 when the corpus could not be made. */
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

/** Inputs that join a corpus at most: more would only dilute it. */
const MAX_CORPUS = 4_096;
const MIN_INPUT_SIZE = 256;
export const MAX_INPUT_SIZE = 65_536;
/** How much happens between two looks at the coverage: enough that looking costs little. */
const BATCH_MS = 20;
const FIXED_BATCH = 64;
const NEWEST = 16;
const NOTHING = new Uint8Array(0);

/** Runs the corpus and then mutations of it until one fails, or the time or the number of runs is over. */
export async function runCampaign(target: FuzzTarget, options: CampaignOptions): Promise<CampaignResult> {
  let corpus: Uint8Array[];
  try {
    corpus = [...target.corpus()];
  } catch (error) {
    const finding = { failure: failureOf(error), input: NOTHING, execution: 0 };
    return { executions: 0, milliseconds: 0, corpusSize: 0, grown: [], finding };
  }
  return new Campaign(target, corpus, options).run();
}

class Campaign {
  readonly #target: FuzzTarget;
  readonly #options: CampaignOptions;
  readonly #corpus: Uint8Array[]; // bounded by what is given and MAX_CORPUS
  readonly #given: number;
  readonly #mutator: Mutator;
  readonly #started = performance.now();
  #executions = 0;

  constructor(target: FuzzTarget, corpus: readonly Uint8Array[], options: CampaignOptions) {
    this.#target = target;
    this.#options = options;
    this.#corpus = [...corpus, ...(options.extra ?? [])];
    this.#given = this.#corpus.length;
    const longest = this.#corpus.reduce((size, input) => Math.max(size, input.length), MIN_INPUT_SIZE);
    this.#mutator = new Mutator(options.seed, Math.min(MAX_INPUT_SIZE, longest + Math.ceil(longest / 2)));
  }

  async run(): Promise<CampaignResult> {
    const { coverage } = this.#options;
    for (const input of this.#corpus) {
      const finding = await this.#try(input);
      if (finding) return this.#minimised(finding);
    }
    coverage?.look({ remember: true });
    while (!this.#isOver()) {
      const batch: Uint8Array[] = [];
      const isFull = this.#batchLimit(batch);
      while (!isFull()) {
        const input = this.#mutator.mutate(this.#pick(), this.#pick());
        batch.push(input);
        const finding = await this.#try(input);
        if (finding) return this.#minimised(finding);
      }
      if (coverage?.look({ remember: false })) await this.#grow(batch, coverage);
      await nextTurn(); // what waits for a turn of the event loop, as some memory does to be freed
    }
    return this.#result();
  }

  #isOver(): boolean {
    const { runs = Number.POSITIVE_INFINITY, milliseconds = Number.POSITIVE_INFINITY } = this.#options;
    return this.#executions >= runs || performance.now() - this.#started >= milliseconds;
  }

  /** By number where the number of runs is given, so that the same seed does the same; else by time. */
  #batchLimit(batch: readonly Uint8Array[]): () => boolean {
    if (this.#options.runs !== undefined) return () => batch.length >= FIXED_BATCH || this.#isOver();
    const end = performance.now() + BATCH_MS;
    return () => performance.now() >= end;
  }

  async #try(input: Uint8Array): Promise<Finding | undefined> {
    const before = input.slice();
    const failure = await this.#execute(input);
    this.#executions++;
    return failure && { failure, input: before, execution: this.#executions };
  }

  #execute(input: Uint8Array): Promise<Failure | undefined> {
    this.#options.onInput?.(input);
    return execute(this.#target, input);
  }

  /** Finds what in the batch reached something new: halves run again, and where one shows something its halves do. */
  async #grow(batch: readonly Uint8Array[], coverage: Coverage): Promise<void> {
    if (this.#corpus.length - this.#given >= MAX_CORPUS) return;
    for (const input of batch) await this.#execute(input);
    if (!coverage.look({ remember: batch.length === 1 })) return;
    const middle = batch.length >> 1;
    if (middle === 0) this.#corpus.push(...batch);
    else for (const half of [batch.slice(0, middle), batch.slice(middle)]) await this.#grow(half, coverage);
  }

  async #minimised(found: Finding): Promise<CampaignResult> {
    this.#options.onFinding?.(found);
    const summary = this.#result();
    const input = await minimise(found.input, async (candidate) => {
      const failure = await this.#execute(candidate);
      return failure !== undefined && sameFailure(found.failure, failure);
    });
    const failure = (await this.#execute(input.slice())) ?? found.failure;
    return { ...summary, finding: { ...found, failure, input } };
  }

  #result(): CampaignResult {
    return {
      executions: this.#executions,
      milliseconds: performance.now() - this.#started,
      corpusSize: this.#corpus.length,
      grown: this.#corpus.slice(this.#given),
      finding: undefined,
    };
  }

  /** One time in four one of the newest: they stand where few have been. */
  #pick(): Uint8Array {
    const size = this.#corpus.length;
    const isNewest = this.#mutator.below(4) === 0;
    const index = isNewest ? size - 1 - this.#mutator.below(Math.min(size, NEWEST)) : this.#mutator.below(size);
    return this.#corpus[index] ?? NOTHING;
  }
}
