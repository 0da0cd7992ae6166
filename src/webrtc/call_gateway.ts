import { type Call, ToxError, type Unsubscribe } from "../index.ts";
import { claim } from "../media/claims.ts";
import type { PageEvents, PageFrame, PageMedia } from "./page_media.ts";
import { WebRtcPage } from "./webrtc_page.ts";

export interface CallGatewayOptions {
  /** Where the page finds this process; `["127.0.0.1"]` when left out. Firefox takes none that is loopback. */
  readonly addresses?: readonly string[];
  /** Stereo from the page's microphone. False when left out. */
  readonly stereo?: boolean;
  /**
   * Nothing is sent while the page's microphone hears nothing. False when left out, for then the bit rate is constant: silences tell when
   * somebody speaks, and lengths what.
   */
  readonly dtx?: boolean;
  /** How long a frame of the page's sound is, in ms: 10, 20 (when left out), 40 or 60. */
  readonly frameDuration?: 10 | 20 | 40 | 60;
}

/** `replaced`: another page has taken the call. `page-gone`: the page was closed, or fell silent. */
export interface GatewayEnd {
  readonly reason: "closed" | "call-ended" | "page-gone" | "replaced";
}

/** Frames, since the page came. */
export interface GatewayStats {
  readonly audioFromPage: number;
  readonly videoFromPage: number;
  readonly audioToPage: number;
  readonly videoToPage: number;
}

/**
 * After a loss, damaged pictures are held back for so long, in ms: from one of ours, a key frame comes sooner, and the page shows the last
 * good picture until then. Of toxcore, which cannot be asked, they are shown after that.
 */
const HOLD_BACK_DAMAGED = 400;

const gateways = new WeakMap<Call, CallGateway>();

/**
 * A page in a call: what its camera and microphone give goes to the friend as it is, and what he sends goes to the page. One page at a time
 * has a call; the next one takes it over. When the page goes the call goes on, and waits for the next.
 */
export class CallGateway {
  /** For the page's `setRemoteDescription`, as SDP. */
  readonly answer: string;
  /** True once media can flow between here and the page, false when it ended before. Never rejects. */
  readonly connected: Promise<boolean>;
  /** Never rejects. */
  readonly closed: Promise<GatewayEnd>;
  readonly #page: PageMedia;
  readonly #off: Unsubscribe[];
  readonly #counts: GatewayCounts;
  readonly #end = Promise.withResolvers<GatewayEnd>();
  #isClosing = false;

  /**
   * Answers the offer of a page's `RTCPeerConnection`: SDP with a line of sound and one of pictures, both `sendrecv`. The call may still
   * ring. Rejects with `invalid-argument`, `no-call` when the call is over, and `codec-unavailable` where werift is not installed.
   */
  static open(call: Call, offer: string, options: CallGatewayOptions = {}): Promise<CallGateway> {
    const { addresses = ["127.0.0.1"], stereo = false, dtx = false, frameDuration = 20 } = options;
    return CallGateway.#begin(call, async (events) => {
      const audioBitRate = call.audio.maxBitRate;
      const videoBitRate = call.video.bitRate;
      const encoding = { stereo, dtx, frameDuration, audioBitRate, videoBitRate };
      const page = await WebRtcPage.open(offer, { events, encoding, addresses });
      return { page, answer: page.answer };
    });
  }

  /** The same over another way to a page than WebRTC; `answer` is empty. Rejects with `no-call`, and with what `connect` rejects with. */
  static join(call: Call, connect: (events: PageEvents) => Promise<PageMedia>): Promise<CallGateway> {
    return CallGateway.#begin(call, async (events) => ({ page: await connect(events), answer: "" }));
  }

  static async #begin(
    call: Call,
    connect: (events: PageEvents) => Promise<{ readonly page: PageMedia; readonly answer: string }>,
  ): Promise<CallGateway> {
    expectGoingOn(call);
    const counts = { audioFromPage: 0, videoFromPage: 0, audioToPage: 0, videoToPage: 0 };
    const { page, answer } = await connect(eventsFor(call, counts));
    const release: (() => void)[] = [];
    try {
      expectGoingOn(call);
      let left: CallGateway | undefined;
      for (let before = gateways.get(call); before !== left; before = gateways.get(call)) {
        if (before !== undefined) await before.#close("replaced"); // meanwhile another may have come
        left = before;
      }
      expectGoingOn(call);
      for (const track of [call.audio, call.video]) release.push(claim(track));
      const gateway = new CallGateway(call, page, answer, counts, release);
      gateways.set(call, gateway);
      return gateway;
    } catch (error) {
      for (const free of release) free();
      await page.close();
      throw error;
    }
  }

  private constructor(
    call: Call,
    page: PageMedia,
    answer: string,
    counts: GatewayCounts,
    release: readonly (() => void)[],
  ) {
    this.answer = answer;
    this.connected = page.connected;
    this.closed = this.#end.promise;
    this.#page = page;
    this.#counts = counts;
    this.#off = [...soundToPage(call, page, counts), ...picturesToPage(call, page, counts), ...release];
    void page.closed.then(() => this.#close("page-gone"));
    void call.ended.then(() => this.#close("call-ended"));
  }

  get stats(): GatewayStats {
    return { ...this.#counts };
  }

  /** Leaves the call to itself, or to the next page. Never rejects. */
  async close(): Promise<void> {
    await this.#close("closed");
  }

  async #close(reason: GatewayEnd["reason"]): Promise<void> {
    if (this.#isClosing) {
      await this.closed;
      return;
    }
    this.#isClosing = true;
    for (const off of this.#off) off();
    await this.#page.close();
    this.#end.resolve({ reason });
  }
}

type GatewayCounts = { -readonly [Name in keyof GatewayStats]: number };

function expectGoingOn(call: Call): void {
  if (call.state === "ended") throw new ToxError("no-call", "Make another call: this one is over.");
}

/** What the page does. Whatever it sends, nothing of it throws. */
function eventsFor(call: Call, counts: GatewayCounts): PageEvents {
  const send = (track: { send(frame: PageFrame): boolean }, frame: PageFrame): void => {
    try {
      track.send(frame);
    } catch {
      // it is no Opus, or no VP8
    }
  };
  return {
    audio: (frame: PageFrame) => {
      counts.audioFromPage++;
      send(call.audio, frame);
    },
    video: (frame: PageFrame) => {
      counts.videoFromPage++;
      send(call.video, frame);
    },
    keyFrameWanted: () => call.video.requestKeyFrame(),
    videoLoss: (share: number) => call.video.reportLoss(share),
  };
}

function soundToPage({ audio }: Call, page: PageMedia, counts: GatewayCounts): Unsubscribe[] {
  return [
    audio.on("arrived", (frame) => {
      counts.audioToPage++;
      page.sendAudio(frame);
    }),
  ];
}

function picturesToPage({ video }: Call, page: PageMedia, counts: GatewayCounts): Unsubscribe[] {
  let damagedSince: number | undefined;
  let began = false;
  return [
    video.on("frame", ({ damaged, keyFrame, ...frame }) => {
      const now = performance.now();
      damagedSince = damaged ? (damagedSince ?? now) : undefined;
      if (damagedSince !== undefined && now - damagedSince < HOLD_BACK_DAMAGED) return;
      if (!began && !keyFrame) {
        video.requestKeyFrame(); // the page came later than the last one
        return;
      }
      began = true;
      counts.videoToPage++;
      page.sendVideo(frame);
    }),
    video.on("keyFrameWanted", () => page.askKeyFrame()),
    video.on("bitRate", (bitRate) => page.limitVideo(bitRate)),
  ];
}
