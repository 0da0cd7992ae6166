import koffi from "koffi";
import { friendPublicKey, type Notify } from "./callbacks.ts";
import { CallError, checkedAv } from "./errors.ts";
import type { ErrorOut, LoadedLibrary, Pointer } from "./library.ts";
import { Pace } from "./pace.ts";
import { Eye, MovingPicture } from "./picture.ts";
import {
  CALL_CONTROLS,
  CALL_STATE,
  type CallStateName,
  type CreateParams,
  type Methods,
  monotonicMs,
  type SentFrames,
} from "./protocol.ts";
import { RichPicture } from "./rich_picture.ts";
import { Scale, ScaleEar } from "./scale.ts";
import { Ear, Tone } from "./sound.ts";
import { type LoadedToxav, loadToxav } from "./toxav_library.ts";

const DISABLED = "TOXAV_ERR_SEND_FRAME_PAYLOAD_TYPE_DISABLED";
const SYNC = "TOXAV_ERR_SEND_FRAME_SYNC";
/** Of a scale. */
const [SCALE_RATE, SCALE_SAMPLES, SCALE_MS] = [48_000, 960, 20];

/** A tone or a picture on its way to a friend. */
interface Stream {
  readonly pace: Pace;
  readonly frames: SentFrames; // bounded by the test
}

/** The calls of one instance: its ToxAV with a timer of its own, what it sends, and what it hears and sees. */
export class PeerAv {
  readonly #library: LoadedLibrary;
  readonly #toxav: LoadedToxav;
  readonly #tox: Pointer;
  readonly #av: Pointer;
  readonly #busy: boolean;
  readonly #deaf: boolean;
  readonly #notify: Notify;
  /** All by friend number. */
  readonly #tones = new Map<number, Stream>();
  readonly #scales = new Map<number, Stream>();
  readonly #pictures = new Map<number, Stream>();
  readonly #ears = new Map<number, Ear>();
  readonly #scaleEars = new Map<number, ScaleEar>();
  readonly #eyes = new Map<number, Eye>();
  #timer: NodeJS.Timeout | undefined;

  /** Throws `CallError` when `toxav_new` fails. */
  constructor(library: LoadedLibrary, tox: Pointer, { busy, deaf = false }: CreateParams, notify: Notify) {
    this.#library = library;
    this.#tox = tox;
    this.#busy = busy;
    this.#deaf = deaf;
    this.#notify = notify;
    this.#toxav = loadToxav(library);
    const av = checkedAv("NEW", (error) => this.#c.create(tox, error));
    if (av === null) throw new CallError("TOXAV_ERR_NEW_NULL", "toxav_new gave no instance");
    this.#av = av;
    this.#listen();
    this.#schedule();
  }

  /** To be called before `tox_kill`. */
  close(): void {
    clearTimeout(this.#timer);
    for (const streams of this.#streams) for (const { pace } of streams.values()) pace.stop();
    this.#c.kill(this.#av);
  }

  call(friend: number, { audioBitRate, videoBitRate }: Methods["call"]["params"]): void {
    checkedAv("CALL", (error) => this.#c.call(this.#av, friend, audioBitRate, videoBitRate, error));
  }

  answer(friend: number, { audioBitRate, videoBitRate }: Methods["answerCall"]["params"]): void {
    checkedAv("ANSWER", (error) => this.#c.answer(this.#av, friend, audioBitRate, videoBitRate, error));
  }

  control(friend: number, { control }: Methods["callControl"]["params"]): void {
    const value = CALL_CONTROLS.indexOf(control);
    checkedAv("CALL_CONTROL", (error) => this.#c.callControl(this.#av, friend, value, error));
    if (control === "cancel") this.#ended(friend);
  }

  setBitRate(friend: number, { audio, video }: Methods["setBitRate"]["params"]): void {
    const [c, av] = [this.#c, this.#av];
    if (audio !== undefined) checkedAv("BIT_RATE_SET", (error) => c.audioSetBitRate(av, friend, audio, error));
    if (video !== undefined) checkedAv("BIT_RATE_SET", (error) => c.videoSetBitRate(av, friend, video, error));
  }

  sendTone(friend: number, params: Methods["sendTone"]["params"]): Methods["sendTone"]["result"] {
    const { hz, sampleRate, channels, frameMs } = params;
    const count = Math.round((sampleRate * frameMs) / 1000);
    const tone = new Tone(hz, sampleRate, channels, count);
    return this.#stream(this.#tones, friend, frameMs, () => {
      const pcm = tone.next();
      return (error) => this.#c.audioSendFrame(this.#av, friend, pcm, count, channels, sampleRate, error);
    });
  }

  stopTone(friend: number): SentFrames {
    return stop(this.#tones, friend).frames;
  }

  sendScale(friend: number): Methods["sendScale"]["result"] {
    const scale = new Scale(SCALE_RATE, SCALE_SAMPLES);
    return this.#stream(this.#scales, friend, SCALE_MS, () => {
      const pcm = scale.next();
      return (error) => this.#c.audioSendFrame(this.#av, friend, pcm, SCALE_SAMPLES, 1, SCALE_RATE, error);
    });
  }

  stopScale(friend: number): SentFrames {
    return stop(this.#scales, friend).frames;
  }

  notesHeard(friend: number): Methods["notesHeard"]["result"] {
    return { notes: this.#scaleEar(friend).notes };
  }

  sendPicture(friend: number, params: Methods["sendPicture"]["params"]): Methods["sendPicture"]["result"] {
    const { width, height, frameRate, rich = false } = params;
    const picture = rich ? new RichPicture(width, height) : new MovingPicture(width, height);
    return this.#stream(this.#pictures, friend, 1000 / frameRate, () => {
      picture.draw();
      const { y, u, v } = picture;
      return (error) => this.#c.videoSendFrame(this.#av, friend, width, height, y, u, v, error);
    });
  }

  stopPicture(friend: number): SentFrames {
    return stop(this.#pictures, friend).frames;
  }

  heard(friend: number): Methods["heard"]["result"] {
    return this.#ear(friend).heard();
  }

  seen(friend: number): Methods["seen"]["result"] {
    return this.#eye(friend).seen();
  }

  resetHeard(friend: number): void {
    this.#ears.delete(friend);
    this.#scaleEars.delete(friend);
    this.#eyes.delete(friend);
  }

  get #c() {
    return this.#toxav.av;
  }

  #schedule(): void {
    this.#timer = setTimeout(
      () => {
        this.#c.iterate(this.#av);
        this.#schedule();
      },
      this.#busy ? 1 : this.#c.iterationInterval(this.#av),
    );
  }

  #listen(): void {
    const { callback } = this.#toxav;
    const [c, av] = [this.#c, this.#av];
    const key = (friend: number) => friendPublicKey(this.#library.tox, this.#tox, friend);
    const onUint = (tell: (friend: number, value: number) => void) =>
      callback("friendUint", (_av, friend, value) => tell(friend, value));
    c.onCall(
      av,
      callback("call", (_av, friend, audio, video) => this.#notify("call", { friend: key(friend), audio, video })),
      null,
    );
    c.onCallState(
      av,
      onUint((friend, bits) => {
        if ((bits & (CALL_STATE.error | CALL_STATE.finished)) !== 0) this.#ended(friend);
        this.#notify("callState", { friend: key(friend), bits, states: statesOf(bits) });
      }),
      null,
    );
    c.onAudioBitRate(
      av,
      onUint((friend, bitRate) => this.#notify("audioBitRate", { friend: key(friend), bitRate })),
      null,
    );
    c.onVideoBitRate(
      av,
      onUint((friend, bitRate) => this.#notify("videoBitRate", { friend: key(friend), bitRate })),
      null,
    );
    c.onAudioReceiveFrame(
      av,
      callback("audio", (_av, friend, pcm, count, channels, rate) => {
        if (this.#deaf) return this.#ear(friend).count(monotonicMs());
        const samples = new Int16Array(koffi.view(pcm, Number(count) * channels * 2));
        const now = monotonicMs();
        this.#ear(friend).hear(samples, channels, rate, now);
        if (channels === 1) this.#scaleEar(friend).hear(samples, rate, now);
      }),
      null,
    );
    c.onVideoReceiveFrame(
      av,
      callback("video", (_av, friend, width, height, y, _u, _v, stride) => {
        if (this.#deaf) return this.#eye(friend).count(monotonicMs());
        const luma = new Uint8Array(koffi.view(y, stride * height));
        this.#eye(friend).see(luma, width, height, stride, monotonicMs());
      }),
      null,
    );
  }

  /**
   * Sends what `next` gives at that pace. Throws when libtoxav does not take the first frame, unless only because the friend does
   * not want it now.
   */
  #stream(
    streams: Map<number, Stream>,
    friend: number,
    periodMs: number,
    next: () => (error: ErrorOut) => boolean,
  ): { at: number } {
    if (streams.get(friend)?.pace.stopped === false) throw new CallError("HARNESS", "he is sent one already");
    const frames: SentFrames = { sent: 0, refused: {}, sentAt: [] };
    const attempt = () => {
      const frame = next();
      const now = monotonicMs();
      const code = sendFrame(frame);
      frames.sentAt.push(code === undefined ? now : null);
      if (code === undefined) frames.sent++;
      else frames.refused[code] = (frames.refused[code] ?? 0) + 1;
      return code;
    };
    const at = monotonicMs();
    const refusal = attempt();
    if (refusal !== undefined && refusal !== DISABLED) throw new CallError(refusal, refusal);
    streams.set(friend, { pace: new Pace(periodMs, attempt), frames });
    return { at };
  }

  /** What was sent stays there to be asked for. */
  #ended(friend: number): void {
    for (const streams of this.#streams) streams.get(friend)?.pace.stop();
  }

  get #streams() {
    return [this.#tones, this.#scales, this.#pictures];
  }

  #ear(friend: number): Ear {
    const ear = this.#ears.get(friend) ?? new Ear();
    this.#ears.set(friend, ear);
    return ear;
  }

  #scaleEar(friend: number): ScaleEar {
    const ear = this.#scaleEars.get(friend) ?? new ScaleEar();
    this.#scaleEars.set(friend, ear);
    return ear;
  }

  #eye(friend: number): Eye {
    const eye = this.#eyes.get(friend) ?? new Eye();
    this.#eyes.set(friend, eye);
    return eye;
  }
}

function stop(streams: Map<number, Stream>, friend: number): Stream {
  const stream = streams.get(friend);
  if (stream === undefined) throw new CallError("HARNESS", "he is sent none");
  stream.pace.stop();
  streams.delete(friend);
  return stream;
}

/** The code of the error, if any. SYNC says that another thread held a lock at that moment. */
function sendFrame(send: (error: ErrorOut) => boolean): string | undefined {
  for (let tries = 0; ; tries++) {
    try {
      checkedAv("SEND_FRAME", send);
      return undefined;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (error.code !== SYNC || tries === 3) return error.code;
    }
  }
}

function statesOf(bits: number): CallStateName[] {
  const names = Object.keys(CALL_STATE) as CallStateName[];
  return names.filter((name) => (bits & CALL_STATE[name]) !== 0);
}
