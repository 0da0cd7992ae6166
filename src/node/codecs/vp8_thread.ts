import { Worker } from "node:worker_threads";
import { READY, type Vp8ThreadOptions } from "./vp8_jobs.ts";

/** The sources run as they are, and compiled. */
const PROGRAM = new URL(import.meta.url.endsWith(".ts") ? "./vp8_worker.ts" : "./vp8_worker.js", import.meta.url);
/** A thread that broke is replaced at most once in so many milliseconds: a peer's frames may be what breaks it. */
const RESTART_PAUSE = 1000;

/**
 * Somewhere to encode or decode that does not hold this thread up. It keeps the process alive while it has something to do, and
 * only then. When it breaks, what it had to do is answered with undefined, and the next job gets another.
 */
export class Vp8Thread<Job, Answer> {
  readonly #options: Vp8ThreadOptions;
  /** Jobs given to it and not answered. */
  readonly #maxWaiting: number;
  readonly #now: () => number;
  #waiting: ((answer: Answer | undefined) => void)[] = [];
  #worker: Worker | undefined;
  #startedAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: Vp8ThreadOptions, maxWaiting: number, now: () => number = () => performance.now()) {
    this.#options = options;
    this.#maxWaiting = maxWaiting;
    this.#now = now;
  }

  /** Rejects when the codec cannot be loaded. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const worker = this.#launch();
      worker.once("message", () => resolve());
      worker.once("error", reject);
      worker.once("exit", () => reject(new Error("The thread ended.")));
    });
  }

  /** Whether a job would be done, but for what goes wrong. */
  get hasRoom(): boolean {
    if (this.#closed || this.#waiting.length >= this.#maxWaiting) return false;
    return this.#worker !== undefined || this.#now() - this.#startedAt >= RESTART_PAUSE;
  }

  /** Undefined: it was not done, because there is no room, the thread broke, or it was closed. */
  run(job: Job, handedOver: readonly ArrayBuffer[]): Promise<Answer | undefined> {
    if (!this.hasRoom) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const worker = this.#worker ?? this.#launch();
      this.#waiting.push(resolve);
      worker.ref();
      worker.postMessage(job, handedOver);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    if (worker) this.#lose(worker);
    await worker?.terminate();
  }

  #launch(): Worker {
    const worker = new Worker(PROGRAM, {
      name: `vp8 ${this.#options.role}`,
      workerData: this.#options,
      execArgv: [],
    });
    worker.on("message", (message: Answer | typeof READY) => {
      if (worker !== this.#worker) return;
      if (message !== READY) this.#waiting.shift()?.(message);
      if (this.#waiting.length === 0) worker.unref();
    });
    worker.on("error", () => this.#lose(worker));
    worker.on("exit", () => this.#lose(worker));
    this.#worker = worker;
    this.#startedAt = this.#now();
    return worker;
  }

  #lose(worker: Worker): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
  }
}
