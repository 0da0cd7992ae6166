import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hex } from "./hex.ts";

/** A profile that libtoxcore 0.2.18 wrote, see `golden/README.md`. */
export function golden(name: "alice" | "bob" | "alice.encrypted"): Uint8Array {
  return new Uint8Array(readFileSync(join(import.meta.dirname, "golden", `${name}.tox`)));
}

type CallPackets<T> = {
  readonly msi: Record<"invite" | "answer" | "mute" | "pause" | "hangUp" | "invalid", T>;
  /** Three in a row; and one of other parameters. */
  readonly audio: readonly T[];
  readonly stereo: T;
  /** All fragments of a frame. */
  readonly keyFrame: readonly T[];
  readonly deltaFrame: readonly T[];
  readonly report: T;
};

/** Packets of calls, their ids included, as libtoxav 0.2.18 sent them, see `golden/README.md`. */
export function goldenCalls(): CallPackets<Uint8Array> {
  const { msi, stereo, report, ...many }: CallPackets<string> = JSON.parse(
    readFileSync(join(import.meta.dirname, "golden", "calls.json"), "utf8"),
  );
  const { invite, answer, mute, pause, hangUp, invalid } = msi;
  return {
    msi: {
      invite: hex(invite),
      answer: hex(answer),
      mute: hex(mute),
      pause: hex(pause),
      hangUp: hex(hangUp),
      invalid: hex(invalid),
    },
    audio: many.audio.map(hex),
    stereo: hex(stereo),
    keyFrame: many.keyFrame.map(hex),
    deltaFrame: many.deltaFrame.map(hex),
    report: hex(report),
  };
}
