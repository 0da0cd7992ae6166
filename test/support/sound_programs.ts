import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dominantFrequency } from "./recognise.ts";

const PATIENT = `process.stdout.on("error", () => process.exit());`;

/** A folder with a `parec` that gives a tone and a `pacat` that plays into a file, at the pace of time: 48 kHz, one channel. */
export class SoundPrograms {
  readonly folder: string;

  constructor(folder: string, hertz: number) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    this.#write(
      "parec",
      `${PATIENT}
      let phase = 0, due = performance.now();
      setInterval(() => {
        for (; due < performance.now(); due += 20) {
          const pcm = Buffer.alloc(1920);
          for (let i = 0; i < pcm.length; i += 2) pcm.writeInt16LE(Math.round(8000 * Math.sin(phase += 2 * Math.PI * ${hertz} / 48000)), i);
          process.stdout.write(pcm);
        }
      }, 10);`,
    );
    this.#write("pacat", `process.stdin.pipe(require("node:fs").createWriteStream(${JSON.stringify(this.#played)}));`);
  }

  /** The strongest frequency of the last half second that was played, in Hz; 0 where nothing was. */
  get heard(): number {
    if (!existsSync(this.#played)) return 0;
    const bytes = readFileSync(this.#played);
    const last = bytes.subarray(Math.max(0, bytes.length - (bytes.length % 2) - 48_000));
    if (last.length < 48_000) return 0;
    return dominantFrequency(new Int16Array(new Uint8Array(last).buffer, 0, 24_000), 48_000);
  }

  get #played(): string {
    return join(this.folder, "played.pcm");
  }

  #write(name: string, code: string): void {
    const path = join(this.folder, name);
    writeFileSync(path, `#!${process.execPath}\n${code}\n`);
    chmodSync(path, 0o755);
  }
}
