/**
 * What the parent (`../toxcore.ts`) and the child (`main.ts`) say to each other: one JSON object a line.
 *
 * - The parent's first line is the `CreateParams`; the child answers with the `ready` or the `failed` notification.
 * - A request is `{id, method, params}`; its answer `{id, result}` or `{id, error: {code, message}}`.
 * - Everything else from the child is a notification: `{event, at, ...}`.
 *
 * All binary values are upper-case hex; a friend is named by public key (64 hex digits, any case in requests).
 */
import type { HeardNote } from "./scale.ts";

export type ConnectionState = "none" | "tcp" | "udp";
export type UserStatus = "none" | "away" | "busy";
export type FileControlName = "resume" | "pause" | "cancel";
export type CallControlName = "resume" | "pause" | "cancel" | "muteAudio" | "unmuteAudio" | "hideVideo" | "showVideo";
export type LogLevel = "trace" | "debug" | "info" | "warning" | "error";

/** Indexes are the values of the C enums of the same meaning. */
export const CONNECTION_STATES: readonly ConnectionState[] = ["none", "tcp", "udp"];
export const USER_STATUSES: readonly UserStatus[] = ["none", "away", "busy"];
export const FILE_CONTROLS: readonly FileControlName[] = ["resume", "pause", "cancel"];
export const CALL_CONTROLS: readonly CallControlName[] = [
  "resume",
  "pause",
  "cancel",
  "muteAudio",
  "unmuteAudio",
  "hideVideo",
  "showVideo",
];
export const LOG_LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warning", "error"];

/** The bits of a call's state: what the friend does. None of them: he has paused. */
export const CALL_STATE = {
  error: 1,
  finished: 2,
  sendingAudio: 4,
  sendingVideo: 8,
  acceptingAudio: 16,
  acceptingVideo: 32,
} as const;
export type CallStateName = keyof typeof CALL_STATE;

/** A friend's sound since it was reset. Times on the clock of `PeerEvent.at`; what is not there yet is null or 0. */
export interface HeardSound {
  /** Audio frames that libtoxav gave, concealed ones among them. */
  frames: number;
  /** Of one channel. */
  samples: number;
  sampleRate: number;
  channels: number;
  /** Root mean square of the last second: some 5,600 of a whole tone, 0 to 300 is silence. */
  level: number;
  /** The strongest of the last second, Hz, to the next whole one; 0 in silence. */
  frequency: number;
  /** Between two frames. */
  longestGapMs: number;
  /** In the samples, once there was sound. */
  longestSilenceMs: number;
  firstAt: number | null;
  /** When the first frame came that is no silence. */
  firstSoundAt: number | null;
}

/** A friend's pictures since they were reset. */
export interface SeenPicture {
  frames: number;
  /** Of rich pictures: how many different ones. */
  numbers: number;
  width: number;
  height: number;
  /** Mean of the last picture, 0 to 255. */
  luma: number;
  /** The lowest and highest of those means. A picture that is sent walks between 63 and 183. */
  darkest: number;
  brightest: number;
  /** Whether the last two pictures differ. */
  moving: boolean;
  longestGapMs: number;
  firstAt: number | null;
}

/** Frames that libtoxav took, and those it did not, by error. */
export interface SentFrames {
  sent: number;
  refused: Record<string, number>;
  /** When it took each, on the clock of `PeerEvent.at`; null: it did not. */
  sentAt: (number | null)[];
}

export interface ProxyParams {
  kind: "http" | "socks5";
  host: string;
  port: number;
}

export interface CreateParams {
  /** File or soname to load instead of `libtoxcore.so.2`, `libtoxcore.so`. */
  library?: string;
  ipv6: boolean;
  udp: boolean;
  holePunching: boolean;
  /** Default: none. `host` is an address. */
  proxy?: ProxyParams;
  startPort: number;
  endPort: number;
  /** Default: off. */
  localDiscovery?: boolean;
  /** TOX_SAVE, hex. */
  savedata?: string;
  /** SECRET_KEY, 64 hex digits. */
  secretKey?: string;
  /** Iterate every millisecond instead of every `tox_iteration_interval`. */
  busy: boolean;
  /** Have a ToxAV too. Default: none, and calls are not even bound. */
  av?: boolean;
  /** Frames that come in a call are counted, and not looked at. Default: false. */
  deaf?: boolean;
  /** Lowest level of toxcore's own log that goes to standard error; absent: none. */
  log?: LogLevel;
}

/** What the child knows of itself once it runs. */
export interface ReadyInfo {
  /** Version of the loaded library, `0.2.18`. */
  version: string;
  /** 76 hex digits: public key, nospam, checksum. */
  address: string;
  publicKey: string;
  dhtId: string;
  /** 0 without UDP. */
  udpPort: number;
}

export interface WireError {
  /** The name of the C enum value, as `TOX_ERR_FRIEND_ADD_OWN_KEY`; or `HARNESS` for a bad request. */
  code: string;
  message: string;
}

/** Method name to its parameters and its result. */
export interface Methods {
  address: { params: object; result: { address: string } };
  dhtId: { params: object; result: { dhtId: string } };
  udpPort: { params: object; result: { udpPort: number } };
  bootstrap: { params: { host: string; port: number; publicKey: string }; result: object };
  addTcpRelay: { params: { host: string; port: number; publicKey: string }; result: object };
  friendAdd: { params: { address: string; message: string }; result: { friend: string } };
  friendAddNorequest: { params: { publicKey: string }; result: { friend: string } };
  friendDelete: { params: { friend: string }; result: object };
  friends: { params: object; result: { friends: string[] } };
  friendConnectionStatus: { params: { friend: string }; result: { state: ConnectionState } };
  /** Unix seconds, 0 for never. */
  lastOnline: { params: { friend: string }; result: { lastOnline: number } };
  connectionStatus: { params: object; result: { state: ConnectionState } };
  setName: { params: { name: string }; result: object };
  setStatusMessage: { params: { statusMessage: string }; result: object };
  setStatus: { params: { status: UserStatus }; result: object };
  /** Gives the new address. */
  setNospam: { params: { nospam: number }; result: { address: string } };
  setTyping: { params: { friend: string; on: boolean }; result: object };
  /** The text as UTF-8, or any bytes as `hex`. */
  send: { params: { friend: string; text?: string; hex?: string; action: boolean }; result: { messageId: number } };
  /** `prefix0`, `prefix1`, ...: answers when the send queue has taken all. `sendqFull` counts its refusals. */
  sendMany: {
    params: { friend: string; prefix: string; count: number };
    result: { messageIds: number[]; sendqFull: number };
  };
  /** `prefix0`, `prefix1`, ... in one go until one is refused; `refusal` is the code of that error. */
  sendUntilRefused: { params: { friend: string; prefix: string }; result: { messageIds: number[]; refusal: string } };
  sendLossless: { params: { friend: string; hex: string }; result: object };
  sendLossy: { params: { friend: string; hex: string }; result: object };
  /** What is in the file at `path`, or so many zeros. Gives toxcore's number of the file. */
  sendFile: {
    params: {
      friend: string;
      path?: string;
      zeros?: number;
      unknownSize?: boolean;
      kind: number;
      fileId?: string;
      name: string;
    };
    result: { file: number; fileId: string };
  };
  /** Into a new file at `path`, or only to count. `seek`: from there on. */
  acceptFile: { params: { friend: string; file: number; path?: string; seek?: number }; result: object };
  fileControl: { params: { friend: string; file: number; control: FileControlName }; result: object };
  conferenceNew: { params: { title: string }; result: object };
  conferenceCount: { params: object; result: { count: number } };
  savedata: { params: object; result: { hex: string } };

  /** Bit rates in kbit/s; 0: does not send that. */
  call: { params: { friend: string; audioBitRate: number; videoBitRate: number }; result: object };
  answerCall: { params: { friend: string; audioBitRate: number; videoBitRate: number }; result: object };
  callControl: { params: { friend: string; control: CallControlName }; result: object };
  setBitRate: { params: { friend: string; audio?: number; video?: number }; result: object };
  /** Goes on until it is stopped or the call ends. Gives when the first frame was sent. */
  sendTone: {
    params: { friend: string; hz: number; sampleRate: number; channels: number; frameMs: number };
    result: { at: number };
  };
  stopTone: { params: { friend: string }; result: SentFrames };
  /** As `sendTone`, with a note of a scale in each frame: 48 kHz, one channel, 20 ms. */
  sendScale: { params: { friend: string }; result: { at: number } };
  stopScale: { params: { friend: string }; result: SentFrames };
  /** The notes that were heard of such a scale. */
  notesHeard: { params: { friend: string }; result: { notes: readonly HeardNote[] } };
  /** The same with pictures that change. Even sizes. `rich`: full of detail, and numbered. */
  sendPicture: {
    params: { friend: string; width: number; height: number; frameRate: number; rich?: boolean };
    result: { at: number };
  };
  stopPicture: { params: { friend: string }; result: SentFrames };
  heard: { params: { friend: string }; result: HeardSound };
  seen: { params: { friend: string }; result: SeenPicture };
  /** Forgets what was heard and seen of the friend. */
  resetHeard: { params: { friend: string }; result: object };
  /** `tox_kill`, then exit code 0. */
  close: { params: object; result: object };
}

export type Method = keyof Methods;

/** Event name to its fields. */
export interface EventFields {
  selfConnection: { state: ConnectionState };
  friendRequest: { publicKey: string; message: string; hex: string };
  friendConnection: { friend: string; state: ConnectionState };
  /** `hex`: the bytes that `text` was decoded from. */
  message: { friend: string; text: string; hex: string; action: boolean };
  receipt: { friend: string; messageId: number };
  friendName: { friend: string; name: string };
  friendStatusMessage: { friend: string; statusMessage: string };
  friendStatus: { friend: string; status: UserStatus };
  typing: { friend: string; on: boolean };
  /** Packet id included. */
  lossless: { friend: string; hex: string };
  lossy: { friend: string; hex: string };
  /** `file`: from 65536 on. `size`: null when it is not known. */
  fileOffer: { friend: string; file: number; fileId: string; kind: number; size: number | null; name: string };
  fileControl: { friend: string; file: number; control: FileControlName };
  /** All has come, or has been acknowledged. */
  fileDone: { friend: string; file: number; direction: "send" | "receive"; bytes: number };
  /** He calls, and says what he sends. */
  call: { friend: string; audio: boolean; video: boolean };
  /** `bits`: of `CALL_STATE`; `states`: their names. */
  callState: { friend: string; bits: number; states: CallStateName[] };
  /** libtoxav suggests so many kbit/s. */
  audioBitRate: { friend: string; bitRate: number };
  videoBitRate: { friend: string; bitRate: number };
}

export type EventName = keyof EventFields;

/**
 * One notification. `at`: when the C callback ran, ms of the machine's monotonic clock, comparable between
 * processes (`monotonicMs()`).
 */
export type PeerEvent<E extends EventName> = { event: E; at: number } & EventFields[E];

/** The clock of `PeerEvent.at`. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
