/** The programs that come with PulseAudio, PipeWire and ALSA, which record and play what goes through a pipe. */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { ToxError } from "../../util/tox_error.ts";
import type { AudioShape } from "./media.ts";

/** What every one of them is told to use: 16-bit samples, little-endian. */
export const SOUND: AudioShape = { sampleRate: 48_000, channels: 1 };
export const BYTES_PER_MS = (SOUND.sampleRate * SOUND.channels * 2) / 1000;

export interface SoundProgram {
  readonly name: string;
  readonly parameters: readonly string[];
}

const PULSE = ["--format=s16le", "--rate=48000", "--channels=1", "--client-name=toxcore-ts"];
const ALSA = ["-q", "-t", "raw", "-f", "S16_LE", "-r", "48000", "-c", "1"];

/** The ones for PulseAudio first: where it runs, the device belongs to it. */
export const RECORDERS: readonly SoundProgram[] = [
  { name: "parec", parameters: [...PULSE, "--latency-msec=20"] },
  { name: "arecord", parameters: [...ALSA, "--buffer-time=80000", "--period-time=20000"] },
];
export const PLAYERS: readonly SoundProgram[] = [
  { name: "pacat", parameters: [...PULSE, "--latency-msec=40"] },
  { name: "aplay", parameters: [...ALSA, "--buffer-time=80000", "--period-time=20000"] },
];

export interface SoundProgramOptions {
  /** Folders with programs, as in the environment; that of this process when left out. */
  readonly path?: string;
}

/** Those of them that are installed, in order. Throws `device-unavailable` when none is. */
export function installed(programs: readonly SoundProgram[], { path }: SoundProgramOptions): SoundProgram[] {
  const folders = (path ?? process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const found = programs.flatMap(({ name, parameters }) => {
    const file = folders.map((folder) => join(folder, name)).find(isProgram);
    return file === undefined ? [] : [{ name: file, parameters }];
  });
  if (found.length > 0) return found;
  const names = programs.map(({ name }) => name).join(" or ");
  throw new ToxError("device-unavailable", `There is no ${names} here: install pulseaudio-utils or alsa-utils.`);
}

/** A program that runs, and what it has said last when it ends. */
export function launch({ name, parameters }: SoundProgram): { child: ChildProcess; ended: Promise<string> } {
  // Where the system has no file descriptors left, there are no pipes.
  const child: ChildProcess = spawn(name, parameters, { stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-500);
  });
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  child.once("error", (error) => resolve(error.message));
  child.once("close", (code, signal) => resolve(said.trim() || `it ended with ${signal ?? code}`));
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.on("error", () => {});
  return { child, ended };
}

export function unavailable(what: string, reasons: readonly string[]): ToxError {
  return new ToxError("device-unavailable", `${what}: ${reasons.join("; ")}.`);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
