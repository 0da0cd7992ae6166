import type { Cancel, Clock } from "../env/clock.ts";
import type { Logger } from "../env/logger.ts";
import type { VideoFrame, VideoTrack, VideoTrackEvents } from "../friend/call.ts";
import { Emitter, type Unsubscribe } from "../util/emitter.ts";
import { ToxError } from "../util/tox_error.ts";
import type { MissingPiece } from "../wire/av/call_feedback.ts";
import { vp8FrameFacts } from "../wire/av/vp8_frame.ts";
import type { Drop } from "../wire/drop.ts";
import { MAX_FRAME_SIZE, VIDEO_BIT_RATES } from "./limits.ts";
import { expectTimestamp, type MediaClock } from "./media_clock.ts";
import type { RateControl } from "./rate_control.ts";
import { Track, type TrackHost } from "./track.ts";
import { VideoReceiver } from "./video_receiver.ts";
import { VideoSender } from "./video_sender.ts";

/** Key frames are asked for, and made, no more often than this, in ms. */
const KEY_FRAME_INTERVAL = 300;
/** Who cannot ask gets one so often, in ms: what he lost is wrong until then. */
const KEY_FRAME_UNASKED = 2_000;

export interface VideoTrackOptions {
  readonly host: TrackHost;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly drop: Drop;
  readonly times: MediaClock;
  readonly rate: RateControl;
  readonly sending: boolean;
  readonly ssrc: number;
  /** What the peer can. */
  readonly way: { readonly feedback: boolean; readonly roundTripMs: number | undefined };
  transmit(packet: Uint8Array): boolean;
  askRepair(missing: readonly MissingPiece[]): void;
  askKeyFrame(): void;
}

/** The pictures of a call. */
export class CallVideo extends Track implements VideoTrack {
  readonly receiver: VideoReceiver;
  readonly #options: VideoTrackOptions;
  readonly #events: Emitter<VideoTrackEvents>;
  readonly #sender: VideoSender;
  #sequence = 0;
  #timestamp = 0;
  #sent = 0;
  #askedAt = Number.NEGATIVE_INFINITY;
  #wantedAt = Number.NEGATIVE_INFINITY;
  #wantedTimer: Cancel | undefined;
  #keyFrameAt = Number.NEGATIVE_INFINITY;

  constructor(options: VideoTrackOptions) {
    const { host, clock, logger, drop, rate, sending, way } = options;
    super(host, sending, rate, VIDEO_BIT_RATES);
    this.#options = options;
    this.#events = new Emitter(logger);
    this.#sender = new VideoSender(clock, options.transmit);
    this.receiver = new VideoReceiver({
      ...{ clock, drop },
      get repairs() {
        return way.feedback;
      },
      get roundTripMs() {
        return way.roundTripMs;
      },
      askRepair: options.askRepair,
      askKeyFrame: () => this.requestKeyFrame(),
      frame: (frame) => void this.#events.emit("frame", frame),
      lost: (frames) => void this.#events.emit("lost", { frames }),
    });
  }

  /** Frames that left. */
  get sent(): number {
    return this.#sent;
  }

  on<Name extends keyof VideoTrackEvents>(
    name: Name,
    listener: (event: VideoTrackEvents[Name]) => unknown,
  ): Unsubscribe {
    return this.#events.on(name, listener);
  }

  send({ data, timestamp }: VideoFrame): boolean {
    const facts = vp8FrameFacts(data);
    if (facts === undefined || data.length > MAX_FRAME_SIZE.video) {
      throw new ToxError("invalid-argument", `Give one VP8 frame of ${MAX_FRAME_SIZE.video} bytes at most.`);
    }
    expectTimestamp(timestamp);
    if (!this.open) return false;
    const { clock, times, ssrc, way } = this.#options;
    const now = clock.monotonic();
    const wire = times.wire(timestamp, now, this.#timestamp);
    const header = {
      kind: "video",
      sequence: this.#sequence,
      timestamp: wire,
      ssrc,
      keyFrame: facts.keyFrame,
    } as const;
    if (!this.#sender.send({ ...header, data: data.slice() }, way.feedback)) {
      this.keyFrameWanted(); // the next frame would go on from this one
      return false;
    }
    if (facts.keyFrame) this.#keyFrameAt = now;
    this.#timestamp = wire;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#sent++;
    return true;
  }

  requestKeyFrame(): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#askedAt < KEY_FRAME_INTERVAL) return;
    this.#askedAt = now;
    this.#options.askKeyFrame();
  }

  reportLoss(share: number): void {
    if (!(share >= 0 && share <= 1)) throw new ToxError("invalid-argument", "Give the loss as a share from 0 to 1.");
    this.receiver.loss.loseBehind(share);
  }

  /** He needs one, or begins to take pictures. */
  keyFrameWanted(): void {
    if (this.#wantedTimer !== undefined) return;
    const now = this.#options.clock.monotonic();
    const at = this.#wantedAt + KEY_FRAME_INTERVAL;
    if (now >= at) this.#emitKeyFrameWanted();
    else this.#wantedTimer = this.#options.clock.at(at, () => this.#emitKeyFrameWanted());
  }

  /** To be called now and then where the peer cannot ask. */
  keyFrameUnasked(): void {
    const { clock } = this.#options;
    if (this.open && clock.monotonic() - Math.max(this.#keyFrameAt, this.#wantedAt) >= KEY_FRAME_UNASKED) {
      this.keyFrameWanted();
    }
  }

  repair(missing: readonly MissingPiece[]): void {
    if (this.open) this.#sender.repair(missing);
  }

  override resetReceiver(): void {
    this.receiver.reset();
  }

  /** What waits to leave is not sent any more. */
  stopSending(): void {
    this.#sender.close();
  }

  /** Nothing is told any more. */
  close(): void {
    this.#events.removeAll();
    this.#wantedTimer?.();
    this.#sender.close();
    this.receiver.reset();
  }

  #emitKeyFrameWanted(): void {
    this.#wantedTimer = undefined;
    if (!this.open) return;
    this.#wantedAt = this.#options.clock.monotonic();
    this.#events.emit("keyFrameWanted", undefined);
  }

  protected override emitBitRate(bitRate: number): void {
    this.#events.emit("bitRate", bitRate);
  }
}
