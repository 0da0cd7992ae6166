import type { BandwidthReport } from "../wire/av/bandwidth_report.ts";
import type { MediaCounts, MediaReport } from "../wire/av/call_feedback.ts";
import type { AudioReceiver } from "./audio_receiver.ts";
import type { VideoReceiver } from "./video_receiver.ts";

/** toxcore takes a report only so long after the one before, in ms … */
const BANDWIDTH_INTERVAL = 950;
/** … and sends one after more than so many packets. */
const BANDWIDTH_PACKETS = 30;
/** Our own media reports less than so far apart count together, in ms: a few packets say little. */
const SHORTEST_SPAN = 450;

/** What both sides say of how media arrive: counts what we say, and reads what he says. */
export class LossReports {
  readonly #audio: AudioReceiver;
  readonly #video: VideoReceiver;
  #bandwidthAt = Number.NEGATIVE_INFINITY;
  #bandwidthHeardAt = Number.NEGATIVE_INFINITY;
  #told = { packets: 0, lostBytes: 0, receivedBytes: 0 };
  #reportedPackets = 0;
  #heard: { at: number; received: number; lost: number } | undefined;
  #here = { received: 0, lost: 0 };
  #lossHere = 0;
  #lossThere = 0;

  constructor(audio: AudioReceiver, video: VideoReceiver) {
    this.#audio = audio;
    this.#video = video;
  }

  /** Of the friend's packets, lately: 0 to 1. */
  get lossHere(): number {
    return this.#lossHere;
  }

  /** Of ours, as he says. */
  get lossThere(): number {
    return this.#lossThere;
  }

  /** For one of ours; undefined where nothing has come since the last one. */
  nextMediaReport(): MediaReport | undefined {
    const packets = this.#noteLossHere();
    if (packets === this.#reportedPackets) return undefined;
    this.#reportedPackets = packets;
    const queueing = Math.max(0, Math.round(Math.max(this.#audio.queueing, this.#video.queueing)));
    return { audio: counts(this.#audio.loss), video: counts(this.#video.loss), queueing };
  }

  /** For toxcore, which is told of losses only. */
  nextBandwidthReport(now: number): BandwidthReport | undefined {
    const packets = this.#noteLossHere();
    const { audio, video } = { audio: this.#audio.loss, video: this.#video.loss };
    if (packets - this.#told.packets <= BANDWIDTH_PACKETS || now - this.#bandwidthAt <= BANDWIDTH_INTERVAL)
      return undefined;
    this.#bandwidthAt = now;
    const lostBytes = audio.lostBytes + video.lostBytes;
    const receivedBytes = audio.receivedBytes + video.receivedBytes;
    const lost = Math.max(0, lostBytes - this.#told.lostBytes);
    const received = receivedBytes - this.#told.receivedBytes;
    this.#told = { packets, lostBytes, receivedBytes };
    return lost === 0 ? undefined : { lost, received };
  }

  /** The loss of ours that he reports; undefined: too soon after the last. */
  takeBandwidthReport({ lost, received }: BandwidthReport, now: number): number | undefined {
    if (now - this.#bandwidthHeardAt < BANDWIDTH_INTERVAL / 2) return undefined;
    this.#bandwidthHeardAt = now;
    this.#lossThere = lost === 0 ? 0 : lost / (lost + received);
    return this.#lossThere;
  }

  /** The same from one of ours, over half a second or more; undefined: not yet. */
  takeMediaReport({ audio, video }: MediaReport, now: number): number | undefined {
    const received = audio.received + video.received;
    const lost = audio.lost + video.lost;
    const before = this.#heard;
    if (before !== undefined && now - before.at < SHORTEST_SPAN) return undefined;
    this.#heard = { at: now, received, lost };
    if (before === undefined) return undefined;
    const [newLost, newReceived] = [growth(before.lost, lost), growth(before.received, received)];
    this.#lossThere = newLost + newReceived === 0 ? 0 : newLost / (newLost + newReceived);
    return this.#lossThere;
  }

  /** Answers how many packets have come since the call began. */
  #noteLossHere(): number {
    const received = this.#audio.loss.received + this.#video.loss.received;
    const lost = this.#audio.loss.lost + this.#video.loss.lost;
    const [newReceived, newLost] = [received - this.#here.received, Math.max(0, lost - this.#here.lost)];
    if (newReceived + newLost > 0) {
      const latest = newLost / (newReceived + newLost);
      this.#lossHere += 0.3 * (latest - this.#lossHere);
    }
    this.#here = { received, lost };
    return received;
  }
}

function counts({ received, lost }: MediaCounts): MediaCounts {
  return { received: received >>> 0, lost: lost >>> 0 };
}

/** Of a counter modulo 2^32; 0 where it went down. */
function growth(before: number, now: number): number {
  return Math.max(0, (now - before) | 0);
}
