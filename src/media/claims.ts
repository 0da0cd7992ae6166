import { type CallTrack, ToxError } from "../index.ts";

const taken = new WeakSet<CallTrack>();

/**
 * Makes one the only sender on a track, until it calls what it gets: frames of two encoders in turns are noise. Throws
 * `invalid-argument` where there is one.
 */
export function claim(track: CallTrack): () => void {
  if (taken.has(track))
    throw new ToxError("invalid-argument", "Close what is sent in this call before you send something else.");
  taken.add(track);
  return () => void taken.delete(track);
}
