import { Unwrapper } from "../util/unwrap.ts";

/** What is further than this from when it came, in ms, is no time of it: a counter jumped, or the page's clock was set. */
const FURTHEST = 10_000;

/** A sender report: one moment on the clock of a stream and on the page's own. */
export interface MomentOfPage {
  /** 32 bits. */
  readonly rtp: number;
  /** In ms. */
  readonly page: number;
}

/** The clock of one stream: where it began here, and where the page says that it stands. */
class StreamClock {
  readonly #perMs: number;
  readonly #unwrapper = new Unwrapper(32);
  #began: { readonly rtp: number; readonly at: number } | undefined;
  #report: { readonly rtp: number; readonly page: number } | undefined;

  constructor(rate: number) {
    this.#perMs = rate / 1000;
  }

  get isKnown(): boolean {
    return this.#began !== undefined && this.#report !== undefined;
  }

  unwrap(rtp: number, now: number): number {
    const unwrapped = this.#unwrapper.unwrap(rtp);
    if (this.#began === undefined || Math.abs(this.since(unwrapped) - now) > FURTHEST) {
      this.#began = { rtp: unwrapped, at: now };
      this.#report = undefined;
    }
    return unwrapped;
  }

  note({ rtp, page }: MomentOfPage): void {
    if (this.#began === undefined) return; // nothing came yet
    this.#report = { rtp: this.#unwrapper.unwrap(rtp), page };
  }

  /** In ms since some moment, by its own pace. */
  since(unwrapped: number): number {
    const { rtp = unwrapped, at = 0 } = this.#began ?? {};
    return at + (unwrapped - rtp) / this.#perMs;
  }

  pageTime(unwrapped: number): number {
    const { rtp = unwrapped, page = 0 } = this.#report ?? {};
    return page + (unwrapped - rtp) / this.#perMs;
  }

  atPageTime(page: number): number {
    const report = this.#report ?? { rtp: 0, page };
    return report.rtp + (page - report.page) * this.#perMs;
  }
}

/**
 * Brings the clocks of a page's sound and pictures together. Sound goes by its own pace, so that no report makes it jump; pictures follow
 * the sound that was there when they were taken, as soon as reports of both streams tell, and the moment they came until then.
 */
export class PageTimes {
  readonly #audio = new StreamClock(48_000);
  readonly #video = new StreamClock(90_000);
  #lastVideo = Number.NEGATIVE_INFINITY;

  noteAudio(moment: MomentOfPage): void {
    this.#audio.note(moment);
  }

  noteVideo(moment: MomentOfPage): void {
    this.#video.note(moment);
  }

  /** In ms on the clock of `now`. */
  audio(rtp: number, now: number): number {
    return this.#audio.since(this.#audio.unwrap(rtp, now));
  }

  /** The same; rises always. */
  video(rtp: number, now: number): number {
    const unwrapped = this.#video.unwrap(rtp, now);
    const time = this.#joined(unwrapped);
    const isBelieved = time !== undefined && Math.abs(time - now) <= FURTHEST;
    const best = isBelieved ? time : this.#video.since(unwrapped);
    this.#lastVideo = Math.max(best, this.#lastVideo + 1);
    return this.#lastVideo;
  }

  #joined(unwrapped: number): number | undefined {
    if (!this.#audio.isKnown || !this.#video.isKnown) return undefined;
    return this.#audio.since(this.#audio.atPageTime(this.#video.pageTime(unwrapped)));
  }
}
