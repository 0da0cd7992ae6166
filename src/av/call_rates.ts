import { isNarrow, RateControl, type WayReport } from "./rate_control.ts";

/** Below these sound and pictures are no use, in bit/s. */
const LEAST = { audio: 12_000, video: 100_000 } as const;
/** Sound is too little to be what makes a way lose packets, and with less Opus says nothing of the packet before. */
const LEAST_AUDIO_FOR_LOSS = 48_000;

/** How much sound and pictures may take: pictures give way first, and come back last. */
export class CallRates {
  readonly audio: RateControl;
  readonly video: RateControl;

  constructor(mostAudio: number, mostVideo: number, now: number) {
    this.audio = new RateControl(LEAST.audio, mostAudio, now, LEAST_AUDIO_FOR_LOSS);
    this.video = new RateControl(LEAST.video, mostVideo, now);
  }

  /** `withVideo`: pictures are being sent. */
  report(report: WayReport, withVideo: boolean, now: number): void {
    const videoGivesWay = withVideo && !this.video.isLeast;
    const chosen = isNarrow(report) ? (videoGivesWay ? this.video : this.audio) : this.#next(withVideo);
    chosen.report(report, now);
  }

  noNews(withVideo: boolean, now: number): void {
    this.audio.noNews(now);
    if (withVideo && this.audio.isMost) this.video.noNews(now);
  }

  /** Which may take more. */
  #next(withVideo: boolean): RateControl {
    return withVideo && this.audio.isMost ? this.video : this.audio;
  }
}
