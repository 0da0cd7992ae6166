import { type Call, type CallOptions, type CallTrack, type Friend, type Tox, ToxError } from "../index.ts";
import {
  type AudioSink,
  type AudioSource,
  CallMedia,
  type FrameSink,
  openAudioSource,
  openVideoSource,
  recordIvf,
  recordWav,
  type VideoSource,
} from "../media/index.ts";
import type { Params } from "./json_rpc.ts";
import { optionalBoolean, optionalNumber, optionalString } from "./params.ts";

type Notify = (method: string, params: object) => Promise<void>;

/** What `call` and `answer` take beside the friend. */
export const MEDIA_PARAMS = ["audio", "video", "audioSource", "videoSource", "record"] as const;
/** And `callControl`. */
export const CONTROL_PARAMS = ["pause", "mute", "hide", "sendAudio", "sendVideo"] as const;

const RECORDED = { sampleRate: 48_000, channels: 1 } as const;

/** The calls of one instance, one with each friend, with built-in codecs, and what is told of them. */
export class RpcCalls {
  readonly #tox: Tox;
  readonly #notify: Notify;
  /** Their media are being opened. */
  readonly #answering = new WeakSet<Call>();

  constructor(tox: Tox, notify: Notify) {
    this.#tox = tox;
    this.#notify = notify;
    tox.on("incomingCall", (call) => {
      const { friend, audio, video } = call;
      void notify("incomingCall", {
        friend: friend.publicKey,
        audio: audio.peer.sending,
        video: video.peer.sending,
      });
      this.#watch(call);
    });
  }

  /** Those that are not over. */
  get list(): object[] {
    return this.#tox.calls.map(({ friend, direction, state, pausedBy, audio, video }) => ({
      ...{ friend: friend.publicKey, direction, state, pausedBy: pausedBy ?? null },
      ...{ audio: saidOf(audio), video: saidOf(video) },
    }));
  }

  async call(friend: Friend, params: Params): Promise<void> {
    const options = optionsOf(params);
    this.#expectFree(friend);
    const media = await openMedia(params);
    await closingOnFailure(media, async () => {
      const call = friend.call(options);
      this.#watch(call);
      await this.#connect(call, media);
    });
  }

  async answer(friend: Friend, params: Params): Promise<void> {
    const options = optionsOf(params);
    const call = this.#callWith(friend);
    if (!isRinging(call) || this.#answering.has(call)) throw noCall("no call of this friend rings");
    this.#answering.add(call);
    try {
      const media = await openMedia(params);
      await closingOnFailure(media, async () => {
        if (!isRinging(call)) throw noCall("the call was over before it was answered");
        await this.#connect(call, media);
        if (!isRinging(call)) throw noCall("the call was over before it was answered");
        call.answer(options);
      });
    } finally {
      this.#answering.delete(call);
    }
  }

  hangUp(friend: Friend): void {
    this.#callWith(friend).hangUp();
  }

  control(friend: Friend, params: Params): void {
    const call = this.#callWith(friend);
    const pause = optionalBoolean(params, "pause");
    const mute = optionalBoolean(params, "mute");
    const hide = optionalBoolean(params, "hide");
    const sendAudio = optionalBoolean(params, "sendAudio");
    const sendVideo = optionalBoolean(params, "sendVideo");
    if (pause === true) call.pause();
    if (pause === false) call.resume();
    if (mute !== undefined) call.audio.receiving = !mute;
    if (hide !== undefined) call.video.receiving = !hide;
    if (sendAudio !== undefined) call.audio.sending = sendAudio;
    if (sendVideo !== undefined) call.video.sending = sendVideo;
  }

  setBitRate(friend: Friend, params: Params): void {
    const call = this.#callWith(friend);
    const audio = optionalNumber(params, "audio");
    const video = optionalNumber(params, "video");
    if (audio !== undefined) call.audio.maxBitRate = audio;
    if (video !== undefined) call.video.maxBitRate = video;
  }

  stats(friend: Friend): object {
    const { audio, video, stats } = this.#callWith(friend);
    return {
      ...stats,
      roundTripMs: stats.roundTripMs ?? null,
      audioBitRate: audio.bitRate,
      videoBitRate: video.bitRate,
    };
  }

  /** Before a recording is begun for a call that there will not be. */
  #expectFree(friend: Friend): void {
    if (friend.connection === "none") throw new ToxError("friend-offline", "Wait for the friend to come online.");
    if (this.#tox.calls.some((one) => one.friend === friend)) {
      throw new ToxError("already-in-call", "Answer or hang up the call there is: a friend has one at a time.");
    }
  }

  #callWith(friend: Friend): Call {
    const call = this.#tox.calls.find((one) => one.friend === friend);
    if (call === undefined) throw noCall("there is no call with this friend");
    return call;
  }

  async #connect(call: Call, { audio, video, audioSinks, videoSinks }: OpenMedia): Promise<void> {
    try {
      await CallMedia.start(call, { audio, video, audioSinks, videoSinks });
    } catch (error) {
      call.hangUp();
      throw error;
    }
  }

  #watch(call: Call): void {
    const { audio, video } = call;
    const friend = call.friend.publicKey;
    const bitRates = () => this.#notify("callBitRate", { friend, audio: audio.bitRate, video: video.bitRate });
    audio.on("bitRate", bitRates);
    video.on("bitRate", bitRates);
    const peer = () => this.#notify("callPeer", { friend, audio: peerOf(audio), video: peerOf(video) });
    call.on("peer", peer);
    void this.#notify("callState", { friend, state: call.state });
    void call.answered.then((answered) => (answered ? peer() : undefined));
    call.on("state", ({ state }) => {
      if (state !== "ended") void this.#notify("callState", { friend, state });
    });
    void call.ended.then((end) => this.#notify("callState", { friend, state: "ended", ...end }));
  }
}

interface OpenMedia {
  readonly audio: AudioSource | undefined;
  readonly video: VideoSource | undefined;
  readonly audioSinks: readonly AudioSink[];
  readonly videoSinks: readonly FrameSink[];
}

/** `audio` and `video` say what is sent; where left out, what has a source is, and sound. */
function optionsOf(params: Params): CallOptions {
  const audio = optionalBoolean(params, "audio") ?? true;
  const video = optionalBoolean(params, "video") ?? params.videoSource !== undefined;
  return { audio, video };
}

/** Sources and recordings, before anything is said to the friend: what cannot be opened makes no call. */
async function openMedia(params: Params): Promise<OpenMedia> {
  const audioSource = optionalString(params, "audioSource");
  const videoSource = optionalString(params, "videoSource");
  const record = optionalString(params, "record");
  const opened: { close?(): Promise<void> }[] = [];
  const open = async <T extends { close?(): Promise<void> }>(one: Promise<T>): Promise<T> => {
    const made = await one;
    opened.push(made);
    return made;
  };
  try {
    const audio = audioSource === undefined ? undefined : await open(openAudioSource(audioSource));
    const video = videoSource === undefined ? undefined : await open(openVideoSource(videoSource));
    const audioSinks = record === undefined ? [] : [await open(recordWav(`${record}.wav`, RECORDED))];
    const videoSinks = record === undefined ? [] : [await open(recordIvf(`${record}.ivf`))];
    return { audio, video, audioSinks, videoSinks };
  } catch (error) {
    await Promise.allSettled(opened.map(async (one) => one.close?.()));
    throw error;
  }
}

/** Closes what was opened when the work fails before a call has it. */
async function closingOnFailure(media: OpenMedia, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const all = [media.audio, media.video, ...media.audioSinks, ...media.videoSinks];
    await Promise.allSettled(all.map(async (one) => one?.close?.()));
    throw error;
  }
}

function isRinging({ direction, state }: Call): boolean {
  return direction === "incoming" && state === "ringing";
}

function saidOf(track: CallTrack): object {
  return { sending: track.sending, receiving: track.receiving, peer: peerOf(track) };
}

function peerOf({ peer: { sending, receiving } }: CallTrack): object {
  return { sending, receiving };
}

function noCall(why: string): ToxError {
  return new ToxError("no-call", `Look at the notifications of calls: ${why}.`);
}
