/**
 * What a piece of a stream is. `connect`, `accept`, `data` and `finish` are numbered and sent again until they are
 * acknowledged; the rest may get lost.
 */
export type SegmentKind = "connect" | "accept" | "data" | "finish" | "acknowledge" | "probe" | "reset";

/** A piece of a stream on its way. */
export interface Segment {
  readonly kind: SegmentKind;
  /** Counts each side's numbered segments from 0. In an acknowledgement: the one that arrived, or NO_NUMBER. */
  readonly number: number;
  /** In an acknowledgement: how many bytes of data in all, from the first on, the side has room for. */
  readonly limit: number;
  /** The data; empty for what is none. */
  readonly bytes: Uint8Array;
  /** Whether it goes to the side that took the connection. */
  readonly toServer: boolean;
}

/** The number of an acknowledgement that only tells the limit. */
export const NO_NUMBER = -1;

const NO_BYTES = new Uint8Array(0);

export function makeSegment(kind: SegmentKind, toServer: boolean, parts: Partial<Segment> = {}): Segment {
  return { kind, toServer, number: NO_NUMBER, limit: 0, bytes: NO_BYTES, ...parts };
}

/** How TCP behaves in a universe. Tests may change it before they open streams. */
export interface StreamSettings {
  /** Bytes in one segment at most. Small ones try how a receiver puts pieces together. */
  segmentSize: number;
  /** A stream whose segments nobody acknowledges for so many ms is reset: the least that RFC 1122 allows. */
  giveUp: number;
}

export const defaultStreamSettings: StreamSettings = { segmentSize: 1460, giveUp: 100_000 };

/** How many bytes a stream holds for a reader that does not read. */
export const RECEIVE_WINDOW = 64 * 1024;
