import type { Cancel, Clock } from "../../env/clock.ts";
import type { Picture } from "../../env/codec.ts";
import type { AudioSource, FrameSource, PictureSource, TimedFrame } from "./media.ts";

/** `ended`: the source has no more. `stopped`: by `stop`. `failed`: the source, or what was fed, threw. */
export type PumpEnd = { readonly reason: "ended" | "stopped" } | { readonly reason: "failed"; readonly error: unknown };

/** Something that feeds a call, at the pace of time. To be stopped before its clock is closed. */
export interface Pump {
  /** How it ends. Never rejects. The source is closed by then. */
  readonly done: Promise<PumpEnd>;
  /** Nothing is fed any more, from this call on. */
  stop(): void;
}

/** `timestamp`: when it was taken, in ms of the clock. */
export type Feed<T> = (item: T, timestamp: number) => unknown;

export interface PumpOptions {
  readonly clock: Clock;
}

export interface AudioPumpOptions extends PumpOptions {
  /** 20 when left out. */
  readonly frameMs?: 10 | 20 | 40 | 60;
}

/** Later than this, what was missed is left out instead of being sent in a burst; in ms. */
const MAX_LATE = 100;
/** Frames whose timestamps say less do not hold up everything else; in ms. */
const LEAST_DISTANCE = 1;

/** Feeds sound in frames of 20 ms. */
export function pumpAudio(source: AudioSource, feed: Feed<Int16Array>, options: AudioPumpOptions): Pump {
  const { clock, frameMs = 20 } = options;
  const samples = (source.sampleRate * frameMs) / 1000;
  return run({
    clock,
    feed,
    live: source.live ?? false,
    next: async () => {
      const item = await source.read(samples);
      return item && { item, after: frameMs };
    },
    close: async () => source.close?.(),
  });
}

export function pumpPictures(source: PictureSource, feed: Feed<Picture>, { clock }: PumpOptions): Pump {
  return run({
    clock,
    feed,
    live: source.live ?? false,
    next: async () => {
      const item = await source.read();
      return item && { item, after: 1000 / source.frameRate };
    },
    close: async () => source.close?.(),
  });
}

/** The frames keep the distances that their timestamps have. */
export function pumpFrames(source: FrameSource, feed: Feed<Uint8Array>, { clock }: PumpOptions): Pump {
  let ahead: TimedFrame | undefined;
  return run({
    clock,
    feed,
    live: false,
    next: async () => {
      const frame = ahead ?? (await source.read());
      if (frame === undefined) return undefined;
      ahead = await source.read();
      const distance = (ahead?.timestamp ?? 0) - frame.timestamp;
      return { item: frame.data, after: distance > LEAST_DISTANCE ? distance : LEAST_DISTANCE };
    },
    close: async () => source.close?.(),
  });
}

interface Step<T> {
  readonly item: T;
  /** How long until the next one is due, in ms. */
  readonly after: number;
}

interface Run<T> extends PumpOptions {
  readonly feed: Feed<T>;
  readonly live: boolean;
  next(): Promise<Step<T> | undefined>;
  close(): Promise<void>;
}

function run<T>({ clock, feed, live, next, close }: Run<T>): Pump {
  let wake: () => void = () => {};
  let stopped = false;

  /** Resolves, or rejects, as the work does; at once when all is stopped, for the work of a source may never end. */
  const unlessStopped = <R>(work: Promise<R>): Promise<R | undefined> =>
    new Promise((resolve, reject) => {
      wake = () => resolve(undefined);
      work.then(resolve, reject);
    });

  const until = async (time: number): Promise<void> => {
    let cancel: Cancel | undefined;
    await unlessStopped(
      new Promise<void>((resolve) => {
        cancel = clock.at(time, resolve);
      }),
    );
    cancel?.();
  };

  const feedAll = async (): Promise<PumpEnd> => {
    let due: number | undefined;
    for (;;) {
      const step = await unlessStopped(next());
      if (stopped) return { reason: "stopped" };
      if (step === undefined) return { reason: "ended" };
      due ??= clock.monotonic();
      if (!live && due > clock.monotonic()) await until(due);
      if (stopped) return { reason: "stopped" };
      const now = clock.monotonic();
      if (live ? Math.abs(now - due) > MAX_LATE : now - due > MAX_LATE) due = now;
      feed(step.item, due);
      due += step.after;
    }
  };

  const endOf = async (): Promise<PumpEnd> => {
    let end: PumpEnd;
    try {
      end = await feedAll();
    } catch (error) {
      end = { reason: "failed", error };
    }
    await close().catch(() => {});
    return end;
  };

  return {
    done: endOf(),
    stop() {
      stopped = true;
      wake();
    },
  };
}
