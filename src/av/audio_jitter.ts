import type { Cancel, Clock } from "../env/clock.ts";
import type { ArrivedAudioFrame, LostAudioFrame, ReceivedAudioFrame } from "../friend/call.ts";
import type { AudioPayload } from "../wire/av/audio_payload.ts";
import { Transit } from "./transit.ts";

/** Frames that wait for their time, at most: as long as the longest delay where they have 2.5 ms. */
const CAPACITY = 192;
/** What is waited beyond the spread, in ms, for timers are not exact. */
const MARGIN = 4;
const LONGEST_DELAY = 400;
/** Before anything is known of the jitter, in ms. */
const FIRST_DELAY = 20;
/** The delay shrinks by so much with each frame, in ms; it grows at once … */
const SHRINKING = 0.2;
/** … or by this part of what is too much, but no faster than a listener's device can follow. */
const SHRINKING_PART = 0.01;
const FASTEST_SHRINKING = 1;
/** The spread is looked at again after so many frames. */
const LOOK_EVERY = 5;
/** So many frames in a row are concealed; where nothing comes it is a silence then, and what is behind a longer gap follows. */
const CONCEALED_AT_MOST = 5;
/** A frame's time may be off by so much, in ms, from what the frames before it take: more is a silence in between. */
const TIME_TOLERANCE = 60;
/** How fast times that are counted follow those that are told. */
const TIME_GAIN = 0.05;
/** From this share of lost frames on, the one behind a lost frame is waited for: Opus has something of it there. */
const LOSS_TO_WAIT_FOR = 0.02;
/** How much one frame counts in that share. */
const LOSS_WEIGHT = 0.01;
/** Sequence numbers that jump by more than so many begin anew, and so do times that come so much too early or late, in ms. */
const LARGEST_JUMP = 500;
const EARLIEST = -200;
const LATEST = 2000;
/** Sound that is given out may last so much longer, in ms, than the time in which it was, … */
const AHEAD = 200;
/** … and in the long run its time is at least this part of what it lasts: packets may claim more, and each is work for a decoder. */
const SLOWEST_PART = 0.75;

interface Waiting extends AudioPayload {
  /** On the sender's clock, smoothed. */
  readonly time: number;
}

export interface AudioOutput {
  /** A frame has come, due or not. */
  arrived?(frame: ArrivedAudioFrame): void;
  frame(frame: ReceivedAudioFrame): void;
  lost(frame: LostAudioFrame): void;
}

/**
 * Gives out each frame of sound when it is due: late enough that nearly all have come by then, and no later. What has not come is
 * reported as lost, in its place. The delay follows how unevenly frames come: up at once, down slowly.
 */
export class AudioJitter {
  readonly #clock: Clock;
  readonly #output: AudioOutput;
  readonly #transit = new Transit();
  readonly #waiting = new Map<number, Waiting>(); // by number, at most CAPACITY
  /** The number that is given out next; undefined: whatever comes. */
  #next: number | undefined;
  /** Where on the sender's clock that is. */
  #nextTime = 0;
  #duration = 20;
  /** From the sender's clock to when a frame is due on ours; undefined before the first. */
  #offset: number | undefined;
  /** In a row, with nothing behind them. */
  #concealed = 0;
  /** In a row, with something behind them. */
  #missed = 0;
  /** Numbers below it have had their turn, also where a silence has begun. */
  #least = Number.NEGATIVE_INFINITY;
  /** The frame with the highest number: the times of others are counted from it. */
  #newest: { number: number; time: number; duration: number } | undefined;
  /** On our clock: before it nothing more is given out. */
  #freeAt = Number.NEGATIVE_INFINITY;
  #untilLook = 0;
  #lossShare = 0;
  #timer: Cancel | undefined;
  #lost = 0;

  constructor(clock: Clock, output: AudioOutput) {
    this.#clock = clock;
    this.#output = output;
  }

  /** How long sound waits here, beyond the shortest way, in ms. */
  get delay(): number {
    return this.#offset === undefined ? 0 : this.#offset - this.#transit.base;
  }

  /** How much longer than at best the last frame was under way, in ms. */
  get queueing(): number {
    return this.#transit.latest;
  }

  /** Frames that did not come, or too late. */
  get lost(): number {
    return this.#lost;
  }

  /** A frame has come. `timestamp`: of the sender, in ms, unwrapped. The payload's bytes must stay as they are. */
  add(number: number, timestamp: number, payload: AudioPayload): void {
    const now = this.#clock.monotonic();
    if (this.#beginsAnew(number, timestamp, now)) this.reset();
    const time = this.#timeOf(number, timestamp, payload.duration);
    const { packet: data, sampleRate, channels, duration } = payload;
    this.#output.arrived?.({ data, sampleRate, channels, duration, timestamp: time, number });
    this.#transit.add(now - time);
    this.#followJitter();
    if (this.#waiting.size >= CAPACITY || this.#waiting.has(number)) return;
    if (this.#next === undefined) {
      if (number < this.#least) return;
      this.#next = number;
      this.#nextTime = time;
    } else if (number < this.#next) {
      return; // too late: it counts as lost already
    } else if (this.#concealed > 0 && !this.#mayFollowConcealed(number, time, now)) {
      return;
    }
    this.#concealed = 0;
    this.#waiting.set(number, { ...payload, time });
    this.#arm();
  }

  /** The sender begins anew. */
  reset(): void {
    this.#timer?.();
    this.#timer = undefined;
    this.#waiting.clear();
    this.#transit.clear();
    this.#next = undefined;
    this.#newest = undefined;
    this.#offset = undefined;
    this.#concealed = 0;
    this.#missed = 0;
    this.#least = Number.NEGATIVE_INFINITY;
    this.#untilLook = 0;
  }

  #beginsAnew(number: number, timestamp: number, now: number): boolean {
    if (this.#newest === undefined) return false;
    const off = now - timestamp - this.#transit.base;
    return Math.abs(number - this.#newest.number) > LARGEST_JUMP || off < EARLIEST || off > LATEST;
  }

  /** Frames follow each other without a gap, unless the sender says that there was a silence. */
  #timeOf(number: number, timestamp: number, duration: number): number {
    const newest = this.#newest;
    if (newest === undefined) {
      this.#newest = { number, time: timestamp, duration };
      return timestamp;
    }
    const counted = newest.time + (number - newest.number) * newest.duration;
    const off = timestamp - counted;
    const time = Math.abs(off) > TIME_TOLERANCE ? timestamp : counted + off * TIME_GAIN;
    if (number > newest.number) this.#newest = { number, time, duration };
    return time;
  }

  #followJitter(): void {
    const { base, latest } = this.#transit;
    this.#offset = Math.min(this.#offset ?? base + FIRST_DELAY, base + LONGEST_DELAY);
    const isLate = latest + base > this.#offset;
    if (!isLate && this.#untilLook-- > 0) return;
    this.#untilLook = LOOK_EVERY;
    const forNext = this.#lossShare > LOSS_TO_WAIT_FOR ? this.#duration : 0;
    const wanted = base + Math.min(this.#transit.spread + forNext + MARGIN, LONGEST_DELAY);
    const shrinking = Math.min(FASTEST_SHRINKING, Math.max(SHRINKING, SHRINKING_PART * (this.#offset - wanted)));
    this.#offset = Math.max(wanted, this.#offset - shrinking * LOOK_EVERY);
  }

  /** Something was concealed in the place of this frame. It is still given out if there is time for it, now that more is waited. */
  #mayFollowConcealed(number: number, time: number, now: number): boolean {
    const isInTime = time + (this.#offset ?? 0) >= now - this.#duration / 2;
    this.#lost += number - (this.#next as number) + (isInTime ? 0 : 1);
    this.#next = isInTime ? number : number + 1;
    if (isInTime) this.#nextTime = time;
    return isInTime;
  }

  #dueAt(): number {
    return Math.max(this.#nextTime + (this.#offset ?? 0), this.#freeAt);
  }

  #gives(duration: number, now: number): void {
    this.#freeAt = Math.max(this.#freeAt, now - AHEAD) + SLOWEST_PART * duration;
  }

  #arm(): void {
    this.#timer?.();
    this.#timer = this.#next === undefined ? undefined : this.#clock.at(this.#dueAt(), () => this.#onTime());
  }

  #onTime(): void {
    const now = this.#clock.monotonic();
    while (this.#next !== undefined && this.#dueAt() <= now) this.#play(this.#next, now);
    this.#arm();
  }

  /** Gives out the next frame, or says that it is lost. */
  #play(number: number, now: number): void {
    const frame = this.#waiting.get(number);
    if (frame === undefined) {
      this.#conceal(number, now);
    } else if (frame.time - this.#nextTime > TIME_TOLERANCE && frame.time + (this.#offset ?? 0) > now) {
      this.#nextTime = frame.time; // a silence was before it
    } else {
      this.#waiting.delete(number);
      this.#missed = 0;
      this.#lossShare -= LOSS_WEIGHT * this.#lossShare;
      this.#next = number + 1;
      this.#nextTime = frame.time + frame.duration;
      this.#duration = frame.duration;
      this.#gives(frame.duration, now);
      const { packet: data, sampleRate, channels, duration, time: timestamp } = frame;
      this.#output.frame({ data, sampleRate, channels, duration, timestamp });
    }
  }

  #conceal(number: number, now: number): void {
    const duration = this.#duration;
    if (this.#waiting.size > 0) {
      if (++this.#missed > CONCEALED_AT_MOST) {
        this.#skipTo(Math.min(...this.#waiting.keys()));
        return;
      }
      this.#next = number + 1;
      this.#lost++;
    } else if (++this.#concealed > CONCEALED_AT_MOST) {
      this.#concealed = 0;
      this.#least = number;
      this.#next = undefined; // a silence: what comes next begins
      return;
    }
    this.#lossShare += LOSS_WEIGHT * (1 - this.#lossShare);
    this.#nextTime += duration;
    this.#gives(duration, now);
    this.#output.lost({ duration, next: this.#waiting.get(number + 1)?.packet });
  }

  #skipTo(number: number): void {
    this.#lost += number - (this.#next as number);
    this.#next = number;
  }
}
