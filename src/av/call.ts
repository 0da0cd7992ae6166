import type { Clock } from "../env/clock.ts";
import type { Logger } from "../env/logger.ts";
import type { CallEnd, CallEvents, CallOptions, CallState, CallStats, CallWith } from "../friend/call.ts";
import type { Friend } from "../friend/friend.ts";
import type { FriendPipe } from "../friend/plugged_floors.ts";
import { Emitter, type Unsubscribe } from "../util/emitter.ts";
import { TokenBucket } from "../util/token_bucket.ts";
import type { BandwidthReport } from "../wire/av/bandwidth_report.ts";
import {
  encodeKeyFrameRequest,
  encodeVideoRepair,
  type MediaReport,
  type MissingPiece,
} from "../wire/av/call_feedback.ts";
import { MsiCapability, type MsiMessage } from "../wire/av/msi.ts";
import type { RtpPiece } from "../wire/av/rtp.ts";
import type { Drop } from "../wire/drop.ts";
import { Capability } from "../wire/friend/extension.ts";
import { CallAudio } from "./audio_track.ts";
import { CallCare } from "./call_care.ts";
import { CallRates } from "./call_rates.ts";
import { CalmNews } from "./calm_news.ts";
import { AUDIO_BIT_RATES, VIDEO_BIT_RATES } from "./limits.ts";
import { MediaClock } from "./media_clock.ts";
import { expectBitRate } from "./track.ts";
import { CallVideo } from "./video_track.ts";

const DEFAULT_BIT_RATES = { audio: 48_000, video: 1_500_000 } as const;
/** Invitations in a call that are answered at once, and how often in the long run, in ms. */
const NEW_BEGINNINGS = 8;
const NEW_BEGINNING_MS = 1_000;

/** What a call asks of those who keep all calls. */
export interface CallHost {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly drop: Drop;
  readonly pipe: FriendPipe;
  /** u32, at random. */
  readonly ssrc: number;
  /** Tells the friend; later, if there is no room now. */
  signal(message: MsiMessage): void;
  /** The call is over. */
  over(): void;
}

/** One call with a friend: who has said what, and the two tracks. */
export class FriendCall implements CallWith<Friend> {
  readonly friend: Friend;
  readonly direction: "incoming" | "outgoing";
  readonly audio: CallAudio;
  readonly video: CallVideo;
  readonly #host: CallHost;
  readonly #events: Emitter<CallEvents>;
  readonly #care: CallCare;
  readonly #answered = Promise.withResolvers<boolean>();
  readonly #ended = Promise.withResolvers<CallEnd>();
  #phase: "ringing" | "active" | "ended" = "ringing";
  #pausedByUs = false;
  #pausedByThem = false;
  #announced: CallState = "ringing";
  /** The capabilities that we have told last. */
  #told: number | undefined;
  /** A toxcore peer's call came while ours was ringing. */
  #crossed = false;
  #videoWasOpen = false;
  readonly #peerNews: CalmNews;
  readonly #beginnings = new TokenBucket(NEW_BEGINNINGS, NEW_BEGINNING_MS);

  /** `peerCapabilities`: those of his invitation, for an incoming call. Throws `invalid-argument`. */
  constructor(host: CallHost, friend: Friend, options: CallOptions, peerCapabilities?: number) {
    const { clock, logger, drop, ssrc, pipe } = host;
    const now = clock.monotonic();
    const { audio = true, video = false, audioBitRate, videoBitRate } = options;
    this.friend = friend;
    this.direction = peerCapabilities === undefined ? "outgoing" : "incoming";
    this.#host = host;
    this.#events = new Emitter(logger);
    this.#peerNews = new CalmNews(clock, () => this.#announcePeer());
    const rates = new CallRates(
      expectBitRate(audioBitRate ?? DEFAULT_BIT_RATES.audio, AUDIO_BIT_RATES),
      expectBitRate(videoBitRate ?? DEFAULT_BIT_RATES.video, VIDEO_BIT_RATES),
      now,
    );
    const call = this;
    const trackHost = {
      get flows() {
        return call.state === "active";
      },
      wishesChanged: () => this.#wishesChanged(),
    };
    const times = new MediaClock(now);
    const transmit = (packet: Uint8Array) => pipe.sendLossy(packet);
    const shared = { ...{ host: trackHost, clock, logger, drop, times, ssrc, transmit } };
    this.audio = new CallAudio({ ...shared, rate: rates.audio, sending: audio });
    this.video = new CallVideo({
      ...{ ...shared, rate: rates.video, sending: video },
      way: {
        get feedback() {
          return call.#isOurs;
        },
        get roundTripMs() {
          return pipe.roundTripMs;
        },
      },
      askRepair: (missing) => this.#tell(encodeVideoRepair(missing)),
      askKeyFrame: () => this.#tell(encodeKeyFrameRequest()),
    });
    this.#care = new CallCare({
      ...{ clock, pipe, drop, rates, audio: this.audio, video: this.video },
      isOurs: () => this.#isOurs,
    });
    if (peerCapabilities === undefined) this.#signal("init");
    else this.#takeCapabilities(peerCapabilities);
  }

  get state(): CallState {
    if (this.#phase !== "active") return this.#phase;
    return this.pausedBy === undefined ? "active" : "paused";
  }

  get pausedBy(): "us" | "them" | "both" | undefined {
    if (this.#phase !== "active") return undefined;
    if (this.#pausedByUs) return this.#pausedByThem ? "both" : "us";
    return this.#pausedByThem ? "them" : undefined;
  }

  get answered(): Promise<boolean> {
    return this.#answered.promise;
  }

  get ended(): Promise<CallEnd> {
    return this.#ended.promise;
  }

  get stats(): CallStats {
    const { audio, video } = this;
    return {
      audioFramesSent: audio.sent,
      audioFramesReceived: audio.receiver.frames,
      videoFramesSent: video.sent,
      videoFramesReceived: video.receiver.frames,
      lost: audio.receiver.lost + video.receiver.lost,
      lossHere: this.#care.reports.lossHere,
      lossThere: this.#care.reports.lossThere,
      audioDelay: audio.receiver.delay,
      roundTripMs: this.#host.pipe.roundTripMs,
    };
  }

  on<Name extends keyof CallEvents>(name: Name, listener: (event: CallEvents[Name]) => unknown): Unsubscribe {
    return this.#events.on(name, listener);
  }

  answer(options: CallOptions = {}): void {
    const { audio = true, video = false, audioBitRate, videoBitRate } = options;
    if (this.direction !== "incoming" || this.#phase !== "ringing") return;
    if (audioBitRate !== undefined) expectBitRate(audioBitRate, AUDIO_BIT_RATES);
    if (videoBitRate !== undefined) this.video.maxBitRate = videoBitRate;
    if (audioBitRate !== undefined) this.audio.maxBitRate = audioBitRate;
    if (this.state !== "ringing") return; // a listener has ended it
    this.audio.sending = audio;
    this.video.sending = video;
    this.#signal("push");
    this.#begin();
  }

  hangUp(): void {
    if (this.#phase === "ended") return;
    this.#host.signal({ request: "pop" });
    this.#end({ reason: "hung-up", by: "us" });
  }

  pause(): void {
    this.#pause(true);
  }

  resume(): void {
    this.#pause(false);
  }

  /** A signal of the friend. */
  handleSignal({ request, error, capabilities }: MsiMessage): void {
    if (this.#phase === "ended") return;
    if (request === "pop") this.#handlePop(error);
    else if (capabilities === undefined) this.#host.drop("malformed");
    else if (request === "init") this.#handleInit(capabilities);
    else this.#handlePush(capabilities);
  }

  /** A piece of his sound or picture. */
  handleMedia(piece: RtpPiece): void {
    const track = piece.kind === "audio" ? this.audio : this.video;
    if (this.state !== "active" || !track.receiving) this.#host.drop("unsolicited");
    else track.receiver.handle(piece);
  }

  /** What a toxcore peer lacks of ours. */
  handleBandwidthReport(report: BandwidthReport): void {
    this.#care.handleBandwidthReport(report);
  }

  handleMediaReport(report: MediaReport): void {
    this.#care.handleMediaReport(report);
  }

  handleKeyFrameRequest(): void {
    if (this.video.open) this.video.keyFrameWanted();
  }

  handleRepair(missing: readonly MissingPiece[]): void {
    this.video.repair(missing);
  }

  /** Without a word to the friend: he is gone, or this instance is. */
  end(reason: "vanished" | "closed"): void {
    if (this.#phase !== "ended") this.#end({ reason });
  }

  /** One of ours, as long as his hello is known. */
  get #isOurs(): boolean {
    return (this.#host.pipe.capabilities & Capability.CallFeedback) !== 0;
  }

  get #capabilities(): number {
    if (this.#pausedByUs) return 0;
    const { audio, video } = this;
    return (
      (audio.sending ? MsiCapability.SendAudio : 0) |
      (video.sending ? MsiCapability.SendVideo : 0) |
      (audio.receiving ? MsiCapability.ReceiveAudio : 0) |
      (video.receiving ? MsiCapability.ReceiveVideo : 0)
    );
  }

  #signal(request: "init" | "push"): void {
    this.#told = this.#capabilities;
    this.#host.signal({ request, capabilities: this.#told });
  }

  #wishesChanged(): void {
    if (this.#phase !== "active" || this.#told === this.#capabilities) return;
    if (!this.video.sending) this.video.stopSending();
    this.#signal("push");
    this.#noteOpen();
  }

  #pause(on: boolean): void {
    if (this.#phase !== "active" || this.#pausedByUs === on) return;
    this.#pausedByUs = on;
    if (on) this.#stopMedia();
    this.#signal("push");
    this.#noteOpen();
    this.#announce();
  }

  #handleInit(capabilities: number): void {
    this.#takeCapabilities(capabilities);
    if (this.direction === "outgoing" && this.#phase === "ringing") {
      // Both of ours take the other's call for an answer. toxcore gives up both calls, says so to us, and nothing to its app.
      this.#crossed = !this.#isOurs;
      if (this.#crossed) return;
      this.#signal("push");
      this.#begin();
    } else if (this.#phase === "active") {
      this.#stopMedia(); // his client has forgotten the call, and begins anew
      if (this.#beginnings.take(this.#host.clock.monotonic())) this.#signal("push");
      else this.#host.drop("rate-limited");
      this.#videoWasOpen = false;
      this.#noteOpen();
      this.#peerNews.changed();
    }
  }

  #handlePush(capabilities: number): void {
    if (this.#phase === "ringing" && this.direction === "incoming") {
      this.#host.drop("unsolicited");
      return;
    }
    const changed = this.#takeCapabilities(capabilities);
    if (this.#phase === "ringing") {
      this.#begin();
    } else if (changed) {
      this.#noteOpen();
      this.#peerNews.changed();
    }
  }

  #handlePop(error: MsiMessage["error"]): void {
    const isOfHis = this.#crossed;
    this.#crossed = false;
    if (isOfHis && error === undefined && this.#phase === "ringing") return; // he cancelled his, and ours rings there
    this.#end(error === undefined ? { reason: "hung-up", by: "them" } : { reason: "failed", error });
  }

  /** Answers whether anything is different. */
  #takeCapabilities(bits: number): boolean {
    const [audio, video] = [this.audio.peer, this.video.peer];
    const before = [this.#pausedByThem, audio.sending, audio.receiving, video.sending, video.receiving].join();
    this.#pausedByThem = bits === 0;
    audio.sending = (bits & MsiCapability.SendAudio) !== 0;
    audio.receiving = (bits & MsiCapability.ReceiveAudio) !== 0;
    video.sending = (bits & MsiCapability.SendVideo) !== 0;
    video.receiving = (bits & MsiCapability.ReceiveVideo) !== 0;
    if (bits === 0 && this.#phase === "active") this.#stopMedia();
    return before !== [this.#pausedByThem, audio.sending, audio.receiving, video.sending, video.receiving].join();
  }

  #begin(): void {
    this.#phase = "active";
    if (this.#told !== this.#capabilities) this.#signal("push");
    this.#answered.resolve(true);
    this.#care.start();
    this.#announce();
    this.#noteOpen();
  }

  #end(end: CallEnd): void {
    this.#phase = "ended";
    this.#care.stop();
    this.#peerNews.close();
    this.#host.over();
    this.audio.close();
    this.video.close();
    this.#answered.resolve(false);
    this.#ended.resolve(end);
    this.#announce();
    this.#events.removeAll();
  }

  #stopMedia(): void {
    this.video.stopSending();
    this.audio.resetReceiver();
    this.video.resetReceiver();
  }

  /** Pictures that begin to leave begin with a key frame: what was made before has not left. */
  #noteOpen(): void {
    const { open } = this.video;
    if (open && !this.#videoWasOpen) this.video.keyFrameWanted();
    this.#videoWasOpen = open;
  }

  #announcePeer(): void {
    this.#events.emit("peer", undefined);
    this.#announce();
  }

  #announce(): void {
    const { state } = this;
    if (state === this.#announced) return;
    this.#announced = state;
    this.#events.emit("state", { state });
  }

  #tell(packet: Uint8Array): void {
    if (this.#isOurs && this.#phase === "active") this.#host.pipe.send(packet, "control");
  }
}
