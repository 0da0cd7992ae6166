import type { HeardNote } from "../../../test/interop/peer/scale.ts";

/**
 * `notes`: a scale, a note each frame, and `tone`: 440 Hz, both through the codec. `packets`: made up, as long as 48 kbit/s
 * makes them, with the time in them; only ours can be given those.
 */
export type Sound = "notes" | "tone" | "packets";

/** `rich`: numbered pictures for the encoder. `frames`: made up, as large as the bit rate makes them; ours only. */
export interface Shown {
  readonly pictures: "rich" | "frames";
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
}

export const VIDEO_BIT_RATE = 1_500_000;
export const FRAME_MS = 20;

/** What came since the counting began, of all calls. Times are those of `now`. */
export interface Counted {
  /** Frames of sound given to the app. Theirs has the concealed ones among them. */
  readonly frames: number;
  /** When the counting began, and when it was asked for. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** Of ours: frames in whose place the decoder made something up, and how many of them from the packet behind. */
  readonly concealed: number | null;
  readonly recovered: number | null;
  /** Between two times at which the app was given sound, or was told to conceal. */
  readonly longestGapMs: number;
  /** Of what was decoded: the longest stretch of silence. */
  readonly longestSilenceMs: number | null;
  readonly notes: readonly HeardNote[];
  /** Of packets with the time in them: how long they took. */
  readonly delays: readonly number[];
  /** Different pictures; of made-up ones, frames. */
  readonly pictures: number;
  /** Of ours: pictures that may look wrong. */
  readonly damaged: number | null;
  readonly pictureGapMs: number;
}

/** What a peer of either side can do in calls with its friends. */
export interface CallOrders {
  [order: string]: (argument: never) => unknown;
  /** From now on each call is answered at once. */
  answerCalls(options: { readonly sound?: Sound; readonly video?: boolean }): void;
  /** Calls the one friend; answers when. Both speak, if they are told to, as soon as they may. */
  call(options: { readonly sound?: Sound; readonly video?: boolean }): Promise<number>;
  /** When the first sound of the call was heard. */
  firstHeardAt(): Promise<number>;
  /** Until `hush`; when each frame was sent, null for those that were not. */
  speak(sound: Sound): Promise<void>;
  hush(): Promise<(number | null)[]>;
  /** Until `hide`; the same of pictures. */
  show(shown: Shown): Promise<void>;
  hide(): Promise<(number | null)[]>;
  /** Forgets what was heard and seen. */
  beginCounting(): Promise<void>;
  counted(): Promise<Counted>;
  hangUp(): Promise<void>;
}
