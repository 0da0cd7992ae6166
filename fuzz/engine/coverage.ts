import { type Profiler, Session } from "node:inspector";
import { fileURLToPath } from "node:url";

/**
 * Which blocks of our sources have ever run, as V8 counts them. Code that was compiled before `start` has no counters: start
 * before importing what shall be covered. A look takes about half a millisecond, so look after many executions, not each.
 */
export class Coverage {
  readonly #session = new Session();
  /** By script, a byte for each character: 1 when it has run. Bounded by the sources. */
  readonly #covered = new Map<string, Uint8Array>();
  readonly #root: string;

  /** Counts what lies below `root`, a folder. */
  constructor(root: string) {
    this.#root = root;
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: false, detailed: true });
  }

  /** Whether anything ran since the last look that never ran before. What is not remembered is new again next time. */
  look({ remember }: { readonly remember: boolean }): boolean {
    let grown = false;
    this.#session.post("Profiler.takePreciseCoverage", (error, { result }) => {
      if (error) throw error;
      for (const script of result) {
        if (this.#counts(script.url) && this.#compare(script, remember)) grown = true;
      }
    });
    return grown;
  }

  stop(): void {
    this.#session.disconnect();
  }

  #counts(url: string): boolean {
    return url.startsWith("file:") && fileURLToPath(url).startsWith(this.#root);
  }

  #compare({ url, functions }: Profiler.ScriptCoverage, remember: boolean): boolean {
    const ranges = functions.flatMap((fn) => fn.ranges);
    const length = ranges.reduce((end, range) => Math.max(end, range.endOffset), 0);
    const ran = new Uint8Array(length);
    // V8 names outer ranges before inner ones, so the innermost has the last word.
    for (const { startOffset, endOffset, count } of ranges) ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
    const covered = this.#coveredOf(url, length);
    let grown = false;
    for (let at = 0; at < length; at++) {
      if (ran[at] === 0 || covered[at] === 1) continue;
      grown = true;
      if (!remember) break;
      covered[at] = 1;
    }
    return grown;
  }

  #coveredOf(url: string, length: number): Uint8Array {
    const known = this.#covered.get(url);
    if (known !== undefined && known.length >= length) return known;
    const longer = new Uint8Array(length);
    longer.set(known ?? []);
    this.#covered.set(url, longer);
    return longer;
  }
}
