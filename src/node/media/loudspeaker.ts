import type { ChildProcess } from "node:child_process";
import { basename } from "node:path";
import type { Clock } from "../../env/clock.ts";
import type { AudioSink } from "./media.ts";
import {
  BYTES_PER_MS,
  installed,
  launch,
  PLAYERS,
  SOUND,
  type SoundProgram,
  type SoundProgramOptions,
  unavailable,
} from "./sound_program.ts";

export interface LoudspeakerOptions extends SoundProgramOptions {
  readonly clock: Clock;
}

/**
 * Sound that was given and cannot have been played yet, in ms. More is left out: what waits in pipes is heard late, and a sender
 * whose clock is fast would make it later and later.
 */
const MAX_AHEAD = 200;
/** How long a program may take to play the rest, in ms. */
const PLAYS_REST = 2000;

/**
 * The loudspeaker, through `pacat` or `aplay`: 48,000 samples a second, one channel. When one ends the other takes over. Throws
 * `device-unavailable` when neither is there; `close` rejects with it when none plays.
 */
export function loudspeaker({ clock, ...options }: LoudspeakerOptions): AudioSink {
  return new Loudspeaker(installed(PLAYERS, options), clock);
}

class Loudspeaker implements AudioSink {
  readonly sampleRate = SOUND.sampleRate;
  readonly channels = SOUND.channels;
  readonly #programs: SoundProgram[];
  readonly #clock: Clock;
  readonly #reasons: string[] = [];
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  /** When all that was given is played. */
  #playedAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(programs: SoundProgram[], clock: Clock) {
    this.#programs = programs;
    this.#clock = clock;
    this.#next();
  }

  write(pcm: Int16Array): void {
    if (this.#closed || this.#child === undefined) return;
    const now = this.#clock.monotonic();
    const start = Math.max(now, this.#playedAt);
    if (start - now > MAX_AHEAD) return;
    const bytes = Buffer.alloc(pcm.length * 2);
    pcm.forEach((sample, i) => void bytes.writeInt16LE(sample, i * 2));
    this.#playedAt = start + bytes.length / BYTES_PER_MS;
    this.#child.stdin?.write(bytes);
  }

  /** What was given is played to its end. */
  async close(): Promise<void> {
    this.#closed = true;
    const failed = this.#child === undefined;
    this.#child?.stdin?.end();
    const cancel = this.#clock.at(this.#clock.monotonic() + PLAYS_REST, () => this.#child?.kill());
    await this.#ended;
    cancel();
    if (failed) throw unavailable("Nothing can be played", this.#reasons);
  }

  #next(): void {
    const program = this.#programs.shift();
    this.#child = undefined;
    if (program === undefined) return;
    const { child, ended } = launch(program);
    this.#child = child;
    child.stdout?.resume();
    this.#ended = ended.then((reason) => {
      if (this.#closed) return;
      this.#reasons.push(`${basename(program.name)} says: ${reason}`);
      this.#next();
    });
  }
}
