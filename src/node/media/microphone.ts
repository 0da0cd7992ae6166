import type { ChildProcess } from "node:child_process";
import { basename } from "node:path";
import type { AudioSource } from "./media.ts";
import {
  BYTES_PER_MS,
  installed,
  launch,
  RECORDERS,
  SOUND,
  type SoundProgram,
  type SoundProgramOptions,
  unavailable,
} from "./sound_program.ts";

/** What was recorded and not read. The oldest goes first, so that a call that stalls is not late ever after. */
const MAX_WAITING = 200 * BYTES_PER_MS;

/**
 * The microphone, through `parec` or `arecord`: 48,000 samples a second, one channel. Resolves when sound comes. Rejects with
 * `device-unavailable` when neither program is there, or none gives sound.
 */
export async function microphone(options: SoundProgramOptions = {}): Promise<AudioSource> {
  const reasons: string[] = [];
  for (const program of installed(RECORDERS, options)) {
    const source = new Microphone(program);
    const reason = await source.started;
    if (reason === undefined) return source;
    reasons.push(`${basename(program.name)} says: ${reason}`);
  }
  throw unavailable("The microphone gives no sound", reasons);
}

class Microphone implements AudioSource {
  readonly sampleRate = SOUND.sampleRate;
  readonly channels = SOUND.channels;
  readonly live = true;
  /** Undefined when the first sound has come, otherwise why none came. */
  readonly started: Promise<string | undefined>;
  readonly #child: ChildProcess;
  readonly #ended: Promise<string>;
  #waiting: Buffer = Buffer.alloc(0);
  #isOver = false;
  #wake: () => void = () => {};

  constructor(program: SoundProgram) {
    const { child, ended } = launch(program);
    this.#child = child;
    this.#ended = ended;
    child.stdin?.end();
    const first = Promise.withResolvers<undefined>();
    child.stdout?.on("data", (bytes: Buffer) => {
      first.resolve(undefined);
      this.#take(bytes);
    });
    this.started = Promise.race([first.promise, ended]);
    void ended.then(() => {
      this.#isOver = true;
      this.#wake();
    });
  }

  async read(samples: number): Promise<Int16Array | undefined> {
    const size = samples * 2;
    while (this.#waiting.length < size && !this.#isOver) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    if (this.#waiting.length < size) return undefined;
    const bytes = this.#waiting.subarray(0, size);
    this.#waiting = this.#waiting.subarray(size);
    return Int16Array.from({ length: samples }, (_, i) => bytes.readInt16LE(i * 2));
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.#waiting = Buffer.alloc(0);
    this.#wake();
    this.#child.kill();
    await this.#ended;
  }

  #take(bytes: Buffer): void {
    if (this.#isOver) return;
    const all = Buffer.concat([this.#waiting, bytes]);
    const spare = Math.max(0, all.length - MAX_WAITING);
    this.#waiting = all.subarray(spare + (spare % 2)); // samples stay whole
    this.#wake();
  }
}
