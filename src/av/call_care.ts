import type { Cancel, Clock } from "../env/clock.ts";
import type { FriendPipe } from "../friend/plugged_floors.ts";
import { type BandwidthReport, encodeBandwidthReport } from "../wire/av/bandwidth_report.ts";
import { encodeMediaReport, type MediaReport } from "../wire/av/call_feedback.ts";
import type { Drop } from "../wire/drop.ts";
import type { CallAudio } from "./audio_track.ts";
import type { CallRates } from "./call_rates.ts";
import { LossReports } from "./loss_reports.ts";
import type { CallVideo } from "./video_track.ts";

/** How often a call looks at how its media arrive, in ms. */
const CARE_INTERVAL = 250;

export interface CallCareOptions {
  readonly clock: Clock;
  readonly pipe: FriendPipe;
  readonly drop: Drop;
  readonly audio: CallAudio;
  readonly video: CallVideo;
  readonly rates: CallRates;
  /** Whether the friend is one of ours now. */
  readonly isOurs: () => boolean;
}

/** How media arrive, in an answered call: tells the friend of his, and lets ours take more or less by what he tells. */
export class CallCare {
  readonly reports: LossReports;
  readonly #options: CallCareOptions;
  #timer: Cancel | undefined;

  constructor(options: CallCareOptions) {
    this.#options = options;
    this.reports = new LossReports(options.audio.receiver, options.video.receiver);
  }

  start(): void {
    const { clock } = this.#options;
    this.#timer = clock.at(clock.monotonic() + CARE_INTERVAL, () => {
      this.#look();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.();
  }

  /** What a toxcore peer lacks of ours. */
  handleBandwidthReport(report: BandwidthReport): void {
    const { clock, drop, video, isOurs } = this.#options;
    if (isOurs()) {
      drop("unsolicited");
      return;
    }
    const now = clock.monotonic();
    const loss = this.reports.takeBandwidthReport(report, now);
    if (loss === undefined) {
      drop("rate-limited");
      return;
    }
    this.#adapt(loss, undefined, now);
    if (loss > 0 && video.open) video.keyFrameWanted();
  }

  handleMediaReport(report: MediaReport): void {
    const now = this.#options.clock.monotonic();
    const loss = this.reports.takeMediaReport(report, now);
    if (loss !== undefined) this.#adapt(loss, report.queueing, now);
  }

  #adapt(loss: number, queueing: number | undefined, now: number): void {
    const { rates, video } = this.#options;
    rates.report({ loss, queueing }, video.open, now);
    this.#announceRates();
  }

  #announceRates(): void {
    this.#options.audio.announceRate();
    this.#options.video.announceRate();
  }

  #look(): void {
    const { clock, pipe, rates, video, isOurs } = this.#options;
    if (isOurs()) {
      const report = this.reports.nextMediaReport();
      if (report !== undefined) pipe.send(encodeMediaReport(report), "control");
      return;
    }
    const now = clock.monotonic();
    const report = this.reports.nextBandwidthReport(now);
    if (report !== undefined) pipe.sendLossy(encodeBandwidthReport(report));
    video.keyFrameUnasked();
    rates.noNews(video.open, now);
    this.#announceRates();
  }
}
