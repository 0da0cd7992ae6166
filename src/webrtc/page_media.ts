/** A page's sound and pictures, encoded, whatever brings them here. Times are in ms; those of one direction share a clock. */
export interface PageMedia {
  /** An Opus packet for the page to play, as soon as it came: the page waits for what is late, and conceals what does not come. */
  sendAudio(frame: NumberedFrame): void;
  /** A VP8 frame for the page to show. */
  sendVideo(frame: PageFrame): void;
  /** Has the page make a key frame. */
  askKeyFrame(): void;
  /** What the page's pictures may take from now on, in bit/s. */
  limitVideo(bitRate: number): void;
  /** True once media can flow, false when the page closed before. Never rejects. */
  readonly connected: Promise<boolean>;
  /** Resolves when the page is no more, or `close` was called. Never rejects. */
  readonly closed: Promise<"closed" | "page-gone">;
  /** Never rejects. */
  close(): Promise<void>;
}

export interface PageFrame {
  readonly data: Uint8Array;
  readonly timestamp: number;
}

/** One of a row, in which some are missing or late. */
export interface NumberedFrame extends PageFrame {
  readonly number: number;
  /** In ms. */
  readonly duration: number;
}

/** What comes from the page. */
export interface PageEvents {
  audio(frame: PageFrame): void;
  video(frame: PageFrame): void;
  /** The page cannot decode what it gets. */
  keyFrameWanted(): void;
  /** So much of the pictures was lost between here and the page, 0 to 1, since the last time. */
  videoLoss(share: number): void;
}
