import { spawnSync } from "node:child_process";
import { closeSync, constants, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Pace } from "./peer/pace.ts";
import type { HeardSound } from "./peer/protocol.ts";
import { Ear, Tone } from "./peer/sound.ts";

const SAMPLE_RATE = 48_000;
const FRAME_MS = 10;

/**
 * A microphone that sings and a loudspeaker that is a file, for a program that uses OpenAL, such as toxic. OpenAL captures from
 * ALSA, which reads a pipe; the pipe is filled at the pace of real time, since nothing else there keeps time. It plays into
 * a WAV file at that pace by itself.
 */
export class FakeSound implements Disposable {
  /** For the program. */
  readonly env: Record<string, string>;
  readonly #microphone: string;
  readonly #loudspeaker: string;
  readonly #pace: Pace;
  #tone: Tone;
  #pipe: number | undefined;

  /** Writes its files into `directory`, under names that begin with `name`. */
  constructor(directory: string, name: string) {
    const file = (suffix: string) => join(directory, `${name}.${suffix}`);
    this.#microphone = file("microphone");
    this.#loudspeaker = file("wav");
    const { status, stderr } = spawnSync("mkfifo", [this.#microphone], { encoding: "utf8" });
    if (status !== 0) throw new Error(`mkfifo ${this.#microphone}: ${stderr}`);
    writeFileSync(file("asound.conf"), alsaConfiguration(this.#microphone));
    writeFileSync(file("alsoft.conf"), openAlConfiguration(this.#loudspeaker));
    this.env = { ALSA_CONFIG_PATH: file("asound.conf"), ALSOFT_CONF: file("alsoft.conf") };
    this.#tone = toneOf(0);
    this.#pace = new Pace(FRAME_MS, () => this.#fill());
  }

  /** What the microphone hears from now on; silence before. */
  sing(hz: number): void {
    this.#tone = toneOf(hz);
  }

  /** What the loudspeaker has played since it was opened, at the beginning of the call; the file is rewritten then. */
  played(): HeardSound {
    const ear = new Ear();
    const samples = wavSamples(readFileSync(this.#loudspeaker));
    ear.hear(samples, 1, SAMPLE_RATE, 0);
    return ear.heard();
  }

  [Symbol.dispose](): void {
    this.#pace.stop();
    this.#close();
  }

  #fill(): void {
    const samples = this.#tone.next();
    this.#pipe ??= openForWriting(this.#microphone);
    if (this.#pipe === undefined) return;
    try {
      writeSync(this.#pipe, new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") this.#close();
      else if (code !== "EAGAIN") throw error;
    }
  }

  #close(): void {
    if (this.#pipe !== undefined) closeSync(this.#pipe);
    this.#pipe = undefined;
  }
}

function toneOf(hz: number): Tone {
  return new Tone(hz, SAMPLE_RATE, 1, (SAMPLE_RATE * FRAME_MS) / 1000);
}

/** Nothing while nobody reads: what was written before would come in a burst. */
function openForWriting(pipe: string): number | undefined {
  try {
    return openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENXIO") return undefined;
    throw error;
  }
}

function alsaConfiguration(microphone: string): string {
  return `pcm.!default { type file; slave.pcm { type null }; file "/dev/null"; infile "${microphone}"; format raw }\n`;
}

/** "wave" only plays, "alsa" captures as well: each gets what the one before it cannot do. */
function openAlConfiguration(loudspeaker: string): string {
  return `drivers = wave,alsa
channels = mono
sample-type = int16
frequency = ${SAMPLE_RATE}
[wave]
file = ${loudspeaker}
`;
}

/** Of 16 bits each, as far as the file is written. */
function wavSamples(wav: Buffer): Int16Array {
  const start = wav.indexOf("data") + 8;
  const count = Math.floor((wav.length - start) / 2);
  return Int16Array.from({ length: count }, (_, i) => wav.readInt16LE(start + 2 * i));
}
