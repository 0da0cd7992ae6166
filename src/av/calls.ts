import type { Crypto } from "../crypto/crypto.ts";
import type { Clock } from "../env/clock.ts";
import type { Logger } from "../env/logger.ts";
import type { Metrics } from "../env/metrics.ts";
import type { CallOptions } from "../friend/call.ts";
import type { Call, CallMaker, Friend } from "../friend/friend.ts";
import type { Friends } from "../friend/friends.ts";
import type { FriendFloor, FriendPipe } from "../friend/plugged_floors.ts";
import { dropCounter } from "../network/drop_counter.ts";
import { Emitter } from "../util/emitter.ts";
import { randomU32 } from "../util/random_numbers.ts";
import { TokenBucket } from "../util/token_bucket.ts";
import { ToxError } from "../util/tox_error.ts";
import { decodeBandwidthReport } from "../wire/av/bandwidth_report.ts";
import { decodeMediaReport, decodeVideoRepair } from "../wire/av/call_feedback.ts";
import { decodeMsi, type MsiError } from "../wire/av/msi.ts";
import { AvPacketId, decodeRtpPiece } from "../wire/av/rtp.ts";
import type { Drop } from "../wire/drop.ts";
import { Capability, ExtensionSubtype } from "../wire/friend/extension.ts";
import { FriendPacketId } from "../wire/friend/packet_ids.ts";
import { FriendCall } from "./call.ts";
import { SignalQueue } from "./signal_queue.ts";

export interface CallsEvents {
  /** Somebody calls: `answer` or `hangUp`. Where nobody listens, it is rejected. */
  incomingCall: Call;
}

export interface CallsOptions {
  readonly friends: Friends;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** A friend may call so many times at once, and once in so many ms in the long run. */
const INVITATIONS = 8;
const INVITATION_MS = 2_000;
/** What makes no sense, or is refused, is answered so many times at once, and once in so many ms in the long run. */
const REFUSALS = 16;
const REFUSAL_MS = 500;

interface Line {
  readonly pipe: FriendPipe;
  readonly invitations: TokenBucket;
  readonly refusals: TokenBucket;
  readonly signals: SignalQueue;
  call: FriendCall | undefined;
}

/** Calls with all friends: one at a time with each. */
export class Calls implements CallMaker, FriendFloor {
  readonly events: Emitter<CallsEvents>;
  readonly capabilities = Capability.CallFeedback;
  readonly #options: CallsOptions;
  readonly #drop: Drop;
  readonly #lines = new Map<Friend, Line>(); // friends who are online
  #closed = false;

  constructor(options: CallsOptions) {
    const { friends, metrics, logger } = options;
    this.#options = options;
    this.#drop = dropCounter(metrics, "call");
    this.events = new Emitter(logger);
    friends.plugIn(this);
    friends.callMaker = this;
    friends.onPacket(FriendPacketId.Msi, FriendPacketId.Msi, (friend, packet) => this.#handleSignal(friend, packet));
    friends.onPacket(AvPacketId.Audio, AvPacketId.Video, (friend, packet) => this.#handleMedia(friend, packet));
    friends.onPacket(AvPacketId.BandwidthReport, AvPacketId.BandwidthReport, (friend, packet) => {
      const report = decodeBandwidthReport(packet, this.#drop);
      if (report !== undefined) this.#active(friend)?.handleBandwidthReport(report);
    });
  }

  /** Those that are not over. */
  get list(): Call[] {
    return [...this.#lines.values()].flatMap(({ call }) => call ?? []);
  }

  /** See `Friend.call`. */
  call(friend: Friend, options: CallOptions): Call {
    if (this.#closed) throw new ToxError("closed", "Create a new instance: this one is closed.");
    const line = this.#lines.get(friend);
    if (line === undefined) throw new ToxError("friend-offline", "Wait for the friend to come online.");
    if (line.call !== undefined) {
      throw new ToxError("already-in-call", "Answer or hang up the call there is: a friend has one at a time.");
    }
    line.call = this.#newCall(friend, line, options);
    return line.call;
  }

  up(friend: Friend, pipe: FriendPipe): void {
    const invitations = new TokenBucket(INVITATIONS, INVITATION_MS);
    const refusals = new TokenBucket(REFUSALS, REFUSAL_MS);
    const signals = new SignalQueue((packet) => pipe.send(packet, "control"));
    this.#lines.set(friend, { pipe, invitations, refusals, signals, call: undefined });
  }

  down(friend: Friend): void {
    const line = this.#lines.get(friend);
    this.#lines.delete(friend);
    line?.call?.end(this.#closed ? "closed" : "vanished");
  }

  writable(friend: Friend): void {
    this.#lines.get(friend)?.signals.flush();
  }

  extension(friend: Friend, packet: Uint8Array): boolean {
    switch (packet[1]) {
      case ExtensionSubtype.MediaReport: {
        const report = decodeMediaReport(packet, this.#drop);
        if (report !== undefined) this.#active(friend)?.handleMediaReport(report);
        return true;
      }
      case ExtensionSubtype.VideoRepair: {
        const missing = decodeVideoRepair(packet, this.#drop);
        if (missing !== undefined) this.#active(friend)?.handleRepair(missing);
        return true;
      }
      case ExtensionSubtype.KeyFrameRequest:
        this.#active(friend)?.handleKeyFrameRequest();
        return true;
      default:
        return false;
    }
  }

  removed(friend: Friend): void {
    this.down(friend);
  }

  /** Hangs up everywhere. Comes before the friends' sessions end. */
  close(): void {
    this.#closed = true;
    for (const { call } of this.#lines.values()) call?.hangUp();
    this.#lines.clear();
    this.events.removeAll();
  }

  #newCall(friend: Friend, line: Line, options: CallOptions, peerCapabilities?: number): FriendCall {
    const { clock, logger, crypto } = this.#options;
    const call: FriendCall = new FriendCall(
      {
        ...{ clock, logger, drop: this.#drop, pipe: line.pipe, ssrc: randomU32(crypto.random) },
        signal: (message) => line.signals.send(message),
        over: () => {
          if (line.call === call) line.call = undefined;
        },
      },
      friend,
      options,
      peerCapabilities,
    );
    return call;
  }

  #refuse(line: Line, error?: MsiError): void {
    if (!line.refusals.take(this.#options.clock.monotonic())) this.#drop("rate-limited");
    else line.signals.send({ request: "pop", ...(error && { error }) });
  }

  /** Nothing is ever answered to a `pop`: two toxcores that do so go on for ever. */
  #handleSignal(friend: Friend, packet: Uint8Array): void {
    const line = this.#lines.get(friend);
    const message = decodeMsi(packet, this.#drop);
    if (line === undefined || message === undefined) return;
    if (line.call !== undefined) line.call.handleSignal(message);
    else if (message.request === "init") this.#invited(friend, line, message.capabilities);
    else if (message.request === "push") this.#refuse(line, "stray-message");
    else this.#drop("unsolicited");
  }

  #invited(friend: Friend, line: Line, capabilities: number | undefined): void {
    if (capabilities === undefined) {
      this.#drop("malformed");
      this.#refuse(line, "invalid-message");
    } else if (!line.invitations.take(this.#options.clock.monotonic())) {
      this.#drop("rate-limited");
      this.#refuse(line);
    } else if (this.events.listenerCount("incomingCall") === 0) {
      this.#refuse(line);
    } else {
      line.call = this.#newCall(friend, line, {}, capabilities);
      this.events.emit("incomingCall", line.call);
    }
  }

  #handleMedia(friend: Friend, packet: Uint8Array): void {
    const call = this.#active(friend);
    const piece = call && decodeRtpPiece(packet, this.#drop);
    if (piece !== undefined) call?.handleMedia(piece);
  }

  #active(friend: Friend): FriendCall | undefined {
    const call = this.#lines.get(friend)?.call;
    return call === undefined || call.state === "ringing" ? this.#drop("unsolicited") : call;
  }
}
