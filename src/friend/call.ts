/** The public shape of a call. Here, and not in `av/`, since `Friend.call` answers one. */
import type { Unsubscribe } from "../util/emitter.ts";

/**
 * `ringing`: nobody has answered. `active`: sound and picture may flow. `paused`: one of the two has paused it. `ended`: over.
 */
export type CallState = "ringing" | "active" | "paused" | "ended";

/**
 * `hung-up`: one of the two ended it; before it was answered that is a rejection (by the called) or a cancellation (by the caller).
 * `vanished`: the friend went offline, his session broke, or he was removed. `failed`: his client says that it cannot go on.
 * `closed`: this instance was closed.
 */
export type CallEnd =
  | { readonly reason: "hung-up"; readonly by: "us" | "them" }
  | { readonly reason: "vanished" | "closed" }
  | { readonly reason: "failed"; readonly error: string };

/** What we send. We take both kinds until `receiving` is turned off. */
export interface CallOptions {
  /** True when left out. */
  readonly audio?: boolean;
  /** False when left out. */
  readonly video?: boolean;
  /** The most that sound may take, in bit/s: 6,000 to 510,000; 48,000 when left out. */
  readonly audioBitRate?: number;
  /** The most that pictures may take, in bit/s; 1,500,000 when left out. */
  readonly videoBitRate?: number;
}

export interface CallEvents {
  state: { readonly state: CallState };
  /** What he sends or takes has changed: see `sending` and `receiving` of `peer` in both tracks. */
  peer: undefined;
}

/** One Opus packet. */
export interface AudioFrame {
  /** An Opus packet, of 120 ms at most. */
  readonly data: Uint8Array;
  /** What the encoder was fed with: 8000, 12000, 16000, 24000 or 48000 samples a second. 48000 when left out. */
  readonly sampleRate?: number;
  /** When it was recorded, in ms on any clock that both tracks share; now when left out. */
  readonly timestamp?: number;
}

export interface ReceivedAudioFrame {
  readonly data: Uint8Array;
  readonly sampleRate: number;
  readonly channels: 1 | 2;
  /** In ms. */
  readonly duration: number;
  /** In ms on the sender's clock, which both tracks share. Rises by `duration`, or by more after a silence. */
  readonly timestamp: number;
}

/** A frame as it came. */
export interface ArrivedAudioFrame extends ReceivedAudioFrame {
  /** Counts the friend's frames: what is missing was lost, or is still to come. Begins anew when he does. */
  readonly number: number;
}

/** A frame that did not come in time: to be concealed. */
export interface LostAudioFrame {
  /** In ms. */
  readonly duration: number;
  /** The packet behind it, from which Opus can recover it in part; undefined when that is not there either. */
  readonly next: Uint8Array | undefined;
}

/** One VP8 frame. */
export interface VideoFrame {
  readonly data: Uint8Array;
  /** When it was taken, in ms on any clock that both tracks share; now when left out. */
  readonly timestamp?: number;
}

export interface ReceivedVideoFrame {
  readonly data: Uint8Array;
  readonly keyFrame: boolean;
  /** In ms on the sender's clock. */
  readonly timestamp: number;
  /** Since the last key frame something was lost: what decodes may be damaged. */
  readonly damaged: boolean;
}

/** One kind of media in a call. */
export interface CallTrack {
  /** Whether we send it. Turning it off tells the friend, as when somebody turns his camera off. */
  sending: boolean;
  /** Whether we want his. Turning it off tells him (toxcore's mute and hide). */
  receiving: boolean;
  /** What he says that he does. */
  readonly peer: { readonly sending: boolean; readonly receiving: boolean };
  /** Whether `send` would send now: the call is active, we send, and he takes it. */
  readonly open: boolean;
  /** The most that it may take, in bit/s. */
  maxBitRate: number;
  /** What an encoder should make now, in bit/s: less than the most where the way is narrow. */
  readonly bitRate: number;
}

export interface AudioTrackEvents {
  frame: ReceivedAudioFrame;
  lost: LostAudioFrame;
  /**
   * A frame as soon as it came, in whatever order: for players that even out by themselves how packets come, as browsers do. Whoever takes these
   * passes over `frame` and `lost`.
   */
  arrived: ArrivedAudioFrame;
  /** `bitRate` has changed. */
  bitRate: number;
}

export interface AudioTrack extends CallTrack {
  /** Sends a packet. False: nothing was sent, because the track is not `open`. Throws `invalid-argument` for what is no Opus packet. */
  send(frame: AudioFrame): boolean;
  on<Name extends keyof AudioTrackEvents>(
    name: Name,
    listener: (event: AudioTrackEvents[Name]) => unknown,
  ): Unsubscribe;
}

export interface VideoTrackEvents {
  frame: ReceivedVideoFrame;
  /** So many frames will not come. One of ours is asked for a key frame by itself. */
  lost: { readonly frames: number };
  /**
   * Make a key frame: he cannot decode without. Comes when he begins to take pictures, or we to send them, and when he asks; toxcore
   * cannot, so there it comes after a loss that it tells of, and every two seconds in which there was none.
   */
  keyFrameWanted: undefined;
  bitRate: number;
}

export interface VideoTrack extends CallTrack {
  /** Sends a frame. False: nothing was sent, because the track is not `open`. Throws `invalid-argument` for what is no VP8 frame. */
  send(frame: VideoFrame): boolean;
  /** Asks him for a key frame, at most once in 300 ms. Only one of ours understands. */
  requestKeyFrame(): void;
  /**
   * So much of what came since the last time was lost behind here, 0 to 1, on the way to where it is shown: his bit rate goes down as if
   * his own way to us had lost it. Throws `invalid-argument`.
   */
  reportLoss(share: number): void;
  on<Name extends keyof VideoTrackEvents>(
    name: Name,
    listener: (event: VideoTrackEvents[Name]) => unknown,
  ): Unsubscribe;
}

export interface CallStats {
  readonly audioFramesSent: number;
  readonly audioFramesReceived: number;
  readonly videoFramesSent: number;
  readonly videoFramesReceived: number;
  /** Frames of either kind that did not come, or too late. */
  readonly lost: number;
  /** The same, of the last reports: 0 to 1. */
  readonly lossHere: number;
  /** What the friend reports of ours: 0 to 1. toxcore reports from 10 % on. */
  readonly lossThere: number;
  /** How long sound waits here for what is late, in ms. */
  readonly audioDelay: number;
  /** Of the session; undefined before the first measurement. */
  readonly roundTripMs: number | undefined;
}

/** A call with a `Friend`. There is one handle for each call. */
export interface CallWith<Friend> {
  readonly friend: Friend;
  readonly direction: "incoming" | "outgoing";
  readonly state: CallState;
  readonly pausedBy: "us" | "them" | "both" | undefined;
  readonly audio: AudioTrack;
  readonly video: VideoTrack;
  readonly stats: CallStats;
  /** True once somebody answered, false when it ended before. Never rejects. */
  readonly answered: Promise<boolean>;
  /** How it ends. Never rejects. */
  readonly ended: Promise<CallEnd>;
  on<Name extends keyof CallEvents>(name: Name, listener: (event: CallEvents[Name]) => unknown): Unsubscribe;
  /** Takes an incoming call. Does nothing once that has happened, or it has ended. Throws `invalid-argument`. */
  answer(options?: CallOptions): void;
  /** Rejects, cancels or hangs up. */
  hangUp(): void;
  /** Nothing flows either way until `resume`. Does nothing before somebody answered. */
  pause(): void;
  resume(): void;
}

/** Who makes calls for `Friend.call`. `Calls` has this shape. */
export interface CallMakerFor<Friend> {
  call(friend: Friend, options: CallOptions): CallWith<Friend>;
}
