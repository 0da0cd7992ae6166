import koffi from "koffi";
import type { Bind, ErrorOut, LoadedLibrary, Pointer } from "./library.ts";

type Status<A extends unknown[]> = (av: Pointer, ...args: [...A, error: ErrorOut]) => boolean;
type SetCallback = (av: Pointer, callback: Pointer, userData: null) => void;

/** The functions of `toxav.h` that the harness calls. Bit rates are kbit/s. */
export interface Toxav {
  create(tox: Pointer, error: ErrorOut): Pointer | null;
  kill(av: Pointer): void;
  iterate(av: Pointer): void;
  iterationInterval(av: Pointer): number;

  call: Status<[friend: number, audioBitRate: number, videoBitRate: number]>;
  answer: Status<[friend: number, audioBitRate: number, videoBitRate: number]>;
  callControl: Status<[friend: number, control: number]>;
  audioSetBitRate: Status<[friend: number, bitRate: number]>;
  videoSetBitRate: Status<[friend: number, bitRate: number]>;
  /** `sampleCount`: of one channel. */
  audioSendFrame: Status<
    [friend: number, pcm: Int16Array, sampleCount: number, channels: number, samplingRate: number]
  >;
  videoSendFrame: Status<[friend: number, width: number, height: number, y: Uint8Array, u: Uint8Array, v: Uint8Array]>;

  onCall: SetCallback;
  onCallState: SetCallback;
  onAudioBitRate: SetCallback;
  onVideoBitRate: SetCallback;
  onAudioReceiveFrame: SetCallback;
  onVideoReceiveFrame: SetCallback;
}

const CALLBACKS = {
  call: "void CallCb(ToxAV *av, uint32_t friend, bool audio, bool video, void *u)",
  friendUint: "void AvFriendUintCb(ToxAV *av, uint32_t friend, uint32_t value, void *u)",
  audio:
    "void AudioCb(ToxAV *av, uint32_t friend, const int16_t *pcm, size_t count, uint8_t channels, uint32_t rate, void *u)",
  video:
    "void VideoCb(ToxAV *av, uint32_t friend, uint16_t width, uint16_t height, const uint8_t *y, const uint8_t *u, const uint8_t *v, int32_t ystride, int32_t ustride, int32_t vstride, void *data)",
} as const;

/** Arguments that a callback gets, in the order of its prototype. */
interface CallbackArguments {
  call: [av: Pointer, friend: number, audio: boolean, video: boolean];
  friendUint: [av: Pointer, friend: number, value: number];
  audio: [
    av: Pointer,
    friend: number,
    pcm: Pointer,
    sampleCount: number | bigint,
    channels: number,
    samplingRate: number,
  ];
  video: [
    av: Pointer,
    friend: number,
    width: number,
    height: number,
    y: Pointer,
    u: Pointer,
    v: Pointer,
    yStride: number,
    uStride: number,
    vStride: number,
  ];
}

export interface LoadedToxav {
  av: Toxav;
  /** A C function pointer to `fn`; it stays valid for the life of the process. */
  callback<K extends keyof CallbackArguments>(kind: K, fn: (...args: CallbackArguments[K]) => void): Pointer;
}

/** Binds toxav, which is in the same file as toxcore. To be called once a process; throws when it is not in there. */
export function loadToxav({ func }: LoadedLibrary): LoadedToxav {
  koffi.opaque("ToxAV");
  const prototypes = Object.fromEntries(
    Object.entries(CALLBACKS).map(([kind, definition]) => [kind, koffi.pointer(koffi.proto(definition))]),
  );
  return {
    av: bind(func),
    callback(kind, fn) {
      const prototype = prototypes[kind];
      if (prototype === undefined) throw new Error(`no callback prototype ${kind}`);
      return koffi.register(fn, prototype);
    },
  };
}

function bind(func: Bind): Toxav {
  const declare = (result: string, name: string, parameters: string) => func(`${result} toxav_${name}(${parameters})`);
  const fallible = (name: string, parameters: string) =>
    declare("bool", name, `ToxAV *av, uint32_t friend, ${parameters}, _Out_ int *error`);
  const setCallback = (name: string, type: string) =>
    declare("void", `callback_${name}`, `ToxAV *av, ${type} *callback, void *u`);

  return {
    create: declare("ToxAV *", "new", "Tox *tox, _Out_ int *error"),
    kill: declare("void", "kill", "ToxAV *av"),
    iterate: declare("void", "iterate", "ToxAV *av"),
    iterationInterval: declare("uint32_t", "iteration_interval", "ToxAV *av"),

    call: fallible("call", "uint32_t audio, uint32_t video"),
    answer: fallible("answer", "uint32_t audio, uint32_t video"),
    callControl: fallible("call_control", "int control"),
    audioSetBitRate: fallible("audio_set_bit_rate", "uint32_t rate"),
    videoSetBitRate: fallible("video_set_bit_rate", "uint32_t rate"),
    audioSendFrame: fallible("audio_send_frame", "const int16_t *pcm, size_t count, uint8_t channels, uint32_t rate"),
    videoSendFrame: fallible(
      "video_send_frame",
      "uint16_t width, uint16_t height, const uint8_t *y, const uint8_t *u, const uint8_t *v",
    ),

    onCall: setCallback("call", "CallCb"),
    onCallState: setCallback("call_state", "AvFriendUintCb"),
    onAudioBitRate: setCallback("audio_bit_rate", "AvFriendUintCb"),
    onVideoBitRate: setCallback("video_bit_rate", "AvFriendUintCb"),
    onAudioReceiveFrame: setCallback("audio_receive_frame", "AudioCb"),
    onVideoReceiveFrame: setCallback("video_receive_frame", "VideoCb"),
  } as unknown as Toxav;
}
