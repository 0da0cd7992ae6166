import { setTimeout as delay } from "node:timers/promises";
import type { Call, Tox } from "toxcore-ts";
import { type AudioSource, CallMedia, toneSource } from "toxcore-ts/media";
import { Pace } from "../../../test/interop/peer/pace.ts";
import { numberOf, RichPicture } from "../../../test/interop/peer/rich_picture.ts";
import { Scale, ScaleEar } from "../../../test/interop/peer/scale.ts";
import { longestGap } from "../../../test/support/recognise.ts";
import { type CallOrders, type Counted, FRAME_MS, type Shown, type Sound, VIDEO_BIT_RATE } from "./call_orders.ts";
import { now } from "./orders.ts";

const RATE = 48_000;
const PACKET_SIZE = 120;
const TONE = 440;
/** Kept of what was decoded: a minute. */
const MOST_SAMPLES = 60 * RATE;

/** Calls of one of ours, as an app makes them. `deaf`: what is decoded is not looked at. */
export function ourCalls(tox: () => Tox, deaf: () => boolean): CallOrders {
  const calls = new Set<Call>(); // with each friend one
  const streams: Stream[] = []; // as many as were begun
  let counting = new Counting();
  let firstHeard = Promise.withResolvers<number>();

  const heard = () => firstHeard.resolve(now());
  const take = (call: Call) => {
    calls.add(call);
    void call.ended.then(() => calls.delete(call));
    call.audio.on("frame", ({ data }) => {
      heard();
      counting.frame(data);
    });
    call.audio.on("lost", ({ next }) => counting.lost(next !== undefined));
    call.video.on("frame", ({ damaged }) => counting.picture(damaged));
  };
  const write = (pcm: Int16Array) => void (deaf() || counting.pcm(pcm));
  const listen = (call: Call, audio: AudioSource | undefined) =>
    CallMedia.start(call, {
      audio,
      audioSinks: [{ sampleRate: RATE, channels: 1, write, close: async () => {} }],
    });
  const speak = async (call: Call, sound: Sound | undefined) => {
    if (sound !== undefined) streams.push(await begin(call, sound, listen));
  };

  return {
    answerCalls({ sound, video = false }) {
      tox().on("incomingCall", (call) => {
        firstHeard = Promise.withResolvers();
        take(call);
        call.answer({ video });
        void speak(call, sound);
      });
    },

    async call({ sound, video = false }) {
      firstHeard = Promise.withResolvers();
      const [friend] = tox().friends;
      if (friend === undefined) throw new Error("nobody is our friend");
      const at = now();
      const call = friend.call({ video });
      take(call);
      await speak(call, sound);
      if (!(await call.answered)) throw new Error("nobody has answered");
      return at;
    },

    firstHeardAt: () => firstHeard.promise,

    async speak(sound) {
      await Promise.all([...calls].map((call) => speak(call, sound)));
    },

    hush: async () => (await end(streams, "sound")).flatMap(({ sentAt }) => sentAt),

    async show(shown) {
      for (const call of calls) streams.push(await show(call, shown, () => counting));
    },

    hide: async () => (await end(streams, "pictures")).flatMap(({ sentAt }) => sentAt),

    async beginCounting() {
      counting = new Counting();
    },

    counted: async () => counting.counted(),

    async hangUp() {
      await end(streams, "sound");
      await end(streams, "pictures");
      for (const call of calls) call.hangUp();
      await delay(200);
    },
  };
}

interface Stream {
  readonly kind: "sound" | "pictures";
  readonly sentAt: (number | null)[];
  stop(): unknown;
}

async function end(streams: Stream[], kind: Stream["kind"]): Promise<Stream[]> {
  const ended = streams.filter((stream) => stream.kind === kind);
  streams.splice(0, streams.length, ...streams.filter((stream) => stream.kind !== kind));
  for (const stream of ended) await stream.stop();
  return ended;
}

async function begin(
  call: Call,
  sound: Sound,
  listen: (call: Call, audio: AudioSource | undefined) => Promise<CallMedia>,
): Promise<Stream> {
  const sentAt: (number | null)[] = [];
  const kind = "sound";
  if (sound === "packets") {
    const pace = new Pace(FRAME_MS, () => void sentAt.push(call.audio.send({ data: timedPacket() }) ? now() : null));
    return { kind, sentAt, stop: () => pace.stop() };
  }
  const media = await listen(call, sound === "tone" ? toneSource(TONE) : liveScale(sentAt, () => call.audio.open));
  return { kind, sentAt, stop: () => media.close() };
}

/** As a microphone gives it: each frame when it is over. */
function liveScale(sentAt: (number | null)[], open: () => boolean): AudioSource {
  const scale = new Scale(RATE, (RATE * FRAME_MS) / 1000);
  let wake: ((pcm: Int16Array | undefined) => void) | undefined;
  const pace = new Pace(FRAME_MS, () => {
    if (wake === undefined) return;
    sentAt.push(open() ? now() : null);
    wake(scale.next().slice());
    wake = undefined;
  });
  return {
    ...{ sampleRate: RATE, channels: 1, live: true },
    read: () =>
      new Promise((resolve) => {
        wake = resolve;
      }),
    async close() {
      pace.stop();
      wake?.(undefined);
    },
  };
}

/** 20 ms of Opus, as far as its first byte tells, with the time in it. */
function timedPacket(): Uint8Array {
  const packet = new Uint8Array(PACKET_SIZE);
  packet[0] = 0xf8;
  new DataView(packet.buffer).setFloat64(1, now());
  return packet;
}

async function show(call: Call, shown: Shown, counting: () => Counting): Promise<Stream> {
  const { pictures, width, height, frameRate } = shown;
  const sentAt: number[] = [];
  const kind = "pictures";
  if (pictures === "rich") {
    const picture = new RichPicture(width, height);
    const video = {
      ...({ kind: "pictures", width, height, frameRate } as const),
      async read() {
        picture.draw();
        sentAt.push(now());
        return picture;
      },
    };
    const onPicture = ({ picture: { y } }: { picture: { y: Uint8Array } }) =>
      counting().number(numberOf(y, width, height, width));
    const media = await CallMedia.start(call, { video, onPicture });
    return { kind, sentAt, stop: () => media.close() };
  }
  let wanted = true;
  const size = Math.round(VIDEO_BIT_RATE / 8 / frameRate);
  const off = call.video.on("keyFrameWanted", () => {
    wanted = true;
  });
  const pace = new Pace(1000 / frameRate, () => {
    if (!call.video.send({ data: madeUpFrame(wanted, size) })) return;
    wanted = false;
    sentAt.push(now());
  });
  const stop = () => {
    off();
    pace.stop();
  };
  return { kind, sentAt, stop };
}

/** VP8, as far as its first bytes tell. */
function madeUpFrame(keyFrame: boolean, size: number): Uint8Array {
  const frame = new Uint8Array(keyFrame ? 8 * size : size);
  frame.set(keyFrame ? [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01] : [0x11, 0, 0]);
  return frame;
}

/** What came since it was made. */
class Counting {
  readonly #firstAt = now();
  readonly #ear = new ScaleEar();
  readonly #delays: number[] = []; // these bounded by the length of a bench
  readonly #pcm: Int16Array[] = [];
  readonly #numbers = new Set<number>();
  #samples = 0;
  #frames = 0;
  #concealed = 0;
  #recovered = 0;
  #lastAt: number | undefined;
  #longestGapMs = 0;
  #pictures = 0;
  #damaged = 0;
  #lastPictureAt: number | undefined;
  #pictureGapMs = 0;

  frame(data: Uint8Array): void {
    this.#frames++;
    this.#noteTime();
    if (data.length !== PACKET_SIZE || data[0] !== 0xf8) return;
    const sentAt = new DataView(data.buffer, data.byteOffset).getFloat64(1);
    const took = now() - sentAt;
    if (took >= 0 && took < 10_000) this.#delays.push(took); // else it is sound
  }

  lost(recoverable: boolean): void {
    this.#concealed++;
    if (recoverable) this.#recovered++;
    this.#noteTime();
  }

  pcm(pcm: Int16Array): void {
    this.#ear.hear(pcm, RATE, now());
    if (this.#samples >= MOST_SAMPLES) return;
    this.#samples += pcm.length;
    this.#pcm.push(pcm);
  }

  picture(damaged: boolean): void {
    const at = now();
    this.#pictures++;
    if (damaged) this.#damaged++;
    if (this.#lastPictureAt !== undefined) this.#pictureGapMs = Math.max(this.#pictureGapMs, at - this.#lastPictureAt);
    this.#lastPictureAt = at;
  }

  number(number: number | undefined): void {
    if (number !== undefined) this.#numbers.add(number);
  }

  counted(): Counted {
    const pcm = new Int16Array(this.#samples);
    let at = 0;
    for (const part of this.#pcm) {
      pcm.set(part, at);
      at += part.length;
    }
    return {
      frames: this.#frames,
      firstAt: this.#firstAt,
      lastAt: now(),
      concealed: this.#concealed,
      recovered: this.#recovered,
      longestGapMs: this.#longestGapMs,
      longestSilenceMs: this.#samples === 0 ? null : longestGap(pcm, RATE),
      notes: this.#ear.notes,
      delays: this.#delays,
      pictures: this.#numbers.size > 0 ? this.#numbers.size : this.#pictures,
      damaged: this.#damaged,
      pictureGapMs: this.#pictureGapMs,
    };
  }

  #noteTime(): void {
    const at = now();
    if (this.#lastAt !== undefined) this.#longestGapMs = Math.max(this.#longestGapMs, at - this.#lastAt);
    this.#lastAt = at;
  }
}
