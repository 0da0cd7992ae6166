import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { describe, it } from "vitest";
import { toneSource } from "../../src/node/media/tone.ts";
import { encodeWavHeader } from "../../src/node/media/wav_header.ts";

const PATH = process.env.CHROMIUM ?? "/usr/bin/chromium";
const RATE = 48_000;
/** Nothing is asked of anybody outside, and devices are there without a person who allows them. */
const SWITCHES = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--allow-loopback-in-peer-connection", // there may be no other interface
  "--use-fake-ui-for-media-stream",
  "--auto-select-desktop-capture-source=Entire screen",
  "--autoplay-policy=no-user-gesture-required",
];

export interface Devices {
  /** The microphone hears this, in Hz. */
  readonly tone?: number;
  /** False: there is neither a camera nor a microphone. */
  readonly present?: boolean;
}

/** A headless Chromium with a camera that sees a moving picture, and a microphone that hears a tone. */
export async function startChromium({ tone = 440, present = true }: Devices = {}): Promise<Browser> {
  const devices = present
    ? ["--use-fake-device-for-media-stream=fps=30", `--use-file-for-fake-audio-capture=${await toneFile(tone)}`]
    : ["--use-fake-device-for-media-stream=device-count=0"];
  return chromium.launch({ executablePath: PATH, args: [...SWITCHES, ...devices] });
}

/** `describe` where Chromium is installed; where `CI` is set, what needs it fails. */
export function describeBrowser(name: string, fn: () => void): void {
  if (existsSync(PATH)) describe(name, fn);
  else if (process.env.CI) {
    describe(name, () => {
      it("finds chromium", () => {
        throw new Error("chromium is not installed, and CI must not skip the tests of pages");
      });
    });
  } else {
    console.warn("tests of pages skipped: chromium is not installed");
    describe.skip(name, fn);
  }
}

/** Two seconds of a sine, which Chromium plays over and over: 16 bits, 48 kHz, one channel. */
async function toneFile(hertz: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "toxcore-ts-tone-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "tone.wav");
  const pcm = await toneSource(hertz).read(2 * RATE);
  const bytes = Buffer.from(pcm?.buffer ?? new ArrayBuffer());
  writeFileSync(path, Buffer.concat([encodeWavHeader(RATE, 1, bytes.length), bytes]));
  return path;
}
