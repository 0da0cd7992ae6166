/** What the threads with the VP8 coders are told, and what they answer: one answer to each job, in order. */
import type { EncodedVp8Frame, Picture } from "../../env/codec.ts";
import type { PictureSize } from "./planes.ts";

/** What a thread is started with. */
export type Vp8ThreadOptions = { readonly role: "encoder"; readonly frameRate: number } | { readonly role: "decoder" };

export interface EncodeJob extends PictureSize {
  /** Behind one another; handed over. */
  readonly planes: Uint8Array<ArrayBuffer>;
  /** Bits a second. */
  readonly bitRate: number;
  readonly keyFrame: boolean;
}

export interface EncodeAnswer {
  readonly frame: EncodedVp8Frame | undefined;
  /** The job's, given back for the next picture. */
  readonly planes: Uint8Array<ArrayBuffer>;
}

export interface DecodeJob {
  readonly frame: Uint8Array<ArrayBuffer>;
}

export interface DecodeAnswer {
  readonly picture: Picture | undefined;
}

/** Sent once, when the codec is loaded. */
export const READY = "ready";
