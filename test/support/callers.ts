import type { Call, Clock, ReceivedAudioFrame, ReceivedVideoFrame } from "../../src/core.ts";

/** 20 ms of Opus, as far as its first byte tells: CELT, full band, one channel. The number is behind it. */
export function opusFrame(number: number, size = 120): Uint8Array {
  const packet = new Uint8Array(size).fill(number);
  packet[0] = 0xf8;
  new DataView(packet.buffer).setUint32(1, number);
  return packet;
}

/** VP8, as far as its first bytes tell. The number is behind those. */
export function vp8Frame(number: number, keyFrame: boolean, size = 6_000): Uint8Array {
  const frame = new Uint8Array(size).fill(number);
  frame.set(keyFrame ? [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01] : [0x11, 0, 0]);
  new DataView(frame.buffer).setUint32(10, number);
  return frame;
}

export function numberInOpus(packet: Uint8Array): number {
  return new DataView(packet.buffer, packet.byteOffset).getUint32(1);
}

export function numberInVp8(frame: Uint8Array): number {
  return new DataView(frame.buffer, frame.byteOffset).getUint32(10);
}

/** One who speaks, and shows pictures, at an even pace, in the time of a clock; and notes all that comes. */
export class Caller {
  readonly heard: { readonly at: number; readonly frame: ReceivedAudioFrame }[] = []; // bounded by the test
  readonly seen: { readonly at: number; readonly frame: ReceivedVideoFrame }[] = [];
  /** Durations of what was to be concealed, with the time. */
  readonly concealed: { readonly at: number; readonly duration: number; readonly recoverable: boolean }[] = [];
  lostPictures = 0;
  keyFramesWanted = 0;
  spoken = 0;
  shown = 0;
  readonly #call: Call;
  readonly #clock: Clock;
  #speaking = false;
  #showing = false;
  #keyFrame = true;

  constructor(call: Call, clock: Clock) {
    this.#call = call;
    this.#clock = clock;
    const now = () => clock.monotonic();
    call.audio.on("frame", (frame) => void this.heard.push({ at: now(), frame }));
    call.audio.on("lost", ({ duration, next }) => {
      this.concealed.push({ at: now(), duration, recoverable: next !== undefined });
    });
    call.video.on("frame", (frame) => void this.seen.push({ at: now(), frame }));
    call.video.on("lost", ({ frames }) => {
      this.lostPictures += frames;
    });
    call.video.on("keyFrameWanted", () => {
      this.keyFramesWanted++;
      this.#keyFrame = true;
    });
  }

  get numbersHeard(): number[] {
    return this.heard.map(({ frame }) => numberInOpus(frame.data));
  }

  get numbersSeen(): number[] {
    return this.seen.map(({ frame }) => numberInVp8(frame.data));
  }

  /** The longest time in which nothing came to be played or concealed, in ms. */
  longestGap(): number {
    const times = [...this.heard, ...this.concealed].map(({ at }) => at).sort((a, b) => a - b);
    return Math.max(0, ...times.slice(1).map((at, i) => at - (times[i] as number)));
  }

  /** `size`: bytes of each packet. */
  speak(size?: number): void {
    this.#speaking = true;
    this.#every(20, () => {
      if (this.#speaking && this.#call.audio.send({ data: opusFrame(this.spoken, size) })) this.spoken++;
      return this.#speaking && this.#call.state !== "ended";
    });
  }

  hush(): void {
    this.#speaking = false;
  }

  /** `size`: bytes of a frame; key frames have eight times as many. */
  show(frameRate: number, size: number | (() => number) = 6_000): void {
    this.#showing = true;
    this.#every(1000 / frameRate, () => {
      const bytes = typeof size === "number" ? size : size();
      const data = vp8Frame(this.shown, this.#keyFrame, this.#keyFrame ? 8 * bytes : bytes);
      if (this.#showing && this.#call.video.send({ data })) {
        this.shown++;
        this.#keyFrame = false;
      }
      return this.#showing && this.#call.state !== "ended";
    });
  }

  hide(): void {
    this.#showing = false;
  }

  #every(interval: number, work: () => boolean): void {
    const next = (at: number) => {
      this.#clock.at(at, () => {
        if (work()) next(at + interval);
      });
    };
    next(this.#clock.monotonic());
  }
}
