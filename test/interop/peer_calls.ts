import { setTimeout as sleep } from "node:timers/promises";
import { hexOf } from "./mailbox.ts";
import {
  CALL_STATE,
  type CallControlName,
  type CallStateName,
  type HeardSound,
  type Method,
  type Methods,
  type SeenPicture,
  type SentFrames,
} from "./peer/protocol.ts";

type Call = <M extends Method>(method: M, params: Methods[M]["params"]) => Promise<Methods[M]["result"]>;
type Bytes = string | Uint8Array;

/** kbit/s; 0: that is not sent. */
export interface BitRates {
  audio?: number;
  video?: number;
}

const AUDIO_BIT_RATE = 48;
const POLL_MS = 50;
const PATIENCE_MS = 90_000;

/**
 * The calls of a peer that was started with `av`: `toxav_*` on his side, and what he hears and sees. He sends a tone and a
 * picture that the far end can recognise. What happens to a call comes as the events `call` and `callState`.
 */
export class PeerCalls {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /** Default: audio of 48 kbit/s, no video. */
  async call(friend: Bytes, { audio = AUDIO_BIT_RATE, video = 0 }: BitRates = {}): Promise<void> {
    await this.#call("call", { friend: hexOf(friend), audioBitRate: audio, videoBitRate: video });
  }

  /** Default: audio of 48 kbit/s, no video. */
  async answer(friend: Bytes, { audio = AUDIO_BIT_RATE, video = 0 }: BitRates = {}): Promise<void> {
    await this.#call("answerCall", { friend: hexOf(friend), audioBitRate: audio, videoBitRate: video });
  }

  async control(friend: Bytes, control: CallControlName): Promise<void> {
    await this.#call("callControl", { friend: hexOf(friend), control });
  }

  /** What is left out stays as it is. */
  async setBitRate(friend: Bytes, rates: BitRates): Promise<void> {
    await this.#call("setBitRate", { ...rates, friend: hexOf(friend) });
  }

  /** Until `stopTone`. Gives when the first frame was sent. Default: 48 kHz, mono, frames of 20 ms. */
  sendTone(
    friend: Bytes,
    hz: number,
    {
      sampleRate = 48_000,
      channels = 1,
      frameMs = 20,
    }: { sampleRate?: number; channels?: number; frameMs?: number } = {},
  ): Promise<{ at: number }> {
    return this.#call("sendTone", { friend: hexOf(friend), hz, sampleRate, channels, frameMs });
  }

  stopTone(friend: Bytes): Promise<SentFrames> {
    return this.#call("stopTone", { friend: hexOf(friend) });
  }

  /** Until `stopPicture`: see `MovingPicture`. Default: 320 by 240, 25 a second. */
  sendPicture(
    friend: Bytes,
    { width = 320, height = 240, frameRate = 25 }: { width?: number; height?: number; frameRate?: number } = {},
  ): Promise<{ at: number }> {
    return this.#call("sendPicture", { friend: hexOf(friend), width, height, frameRate });
  }

  stopPicture(friend: Bytes): Promise<SentFrames> {
    return this.#call("stopPicture", { friend: hexOf(friend) });
  }

  heard(friend: Bytes): Promise<HeardSound> {
    return this.#call("heard", { friend: hexOf(friend) });
  }

  seen(friend: Bytes): Promise<SeenPicture> {
    return this.#call("seen", { friend: hexOf(friend) });
  }

  async resetHeard(friend: Bytes): Promise<void> {
    await this.#call("resetHeard", { friend: hexOf(friend) });
  }

  /** Asks what he hears until it is right. */
  untilHeard(friend: Bytes, right: (heard: HeardSound) => boolean, timeoutMs?: number): Promise<HeardSound> {
    return until(() => this.heard(friend), right, timeoutMs);
  }

  /** Asks what he sees until it is right. */
  untilSeen(friend: Bytes, right: (seen: SeenPicture) => boolean, timeoutMs?: number): Promise<SeenPicture> {
    return until(() => this.seen(friend), right, timeoutMs);
  }
}

/** The `bits` of a `callState`. */
export function callBits(...states: CallStateName[]): number {
  return states.reduce((bits, state) => bits | CALL_STATE[state], 0);
}

async function until<T>(ask: () => Promise<T>, right: (answer: T) => boolean, timeoutMs = PATIENCE_MS): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (right(answer)) return answer;
    if (performance.now() > end) throw new Error(`after ${timeoutMs} ms still ${JSON.stringify(answer)}`);
    await sleep(POLL_MS);
  }
}
