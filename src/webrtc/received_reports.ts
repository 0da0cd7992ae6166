import type { RtcpPacket, RtcpReceiverInfo } from "werift";
import type { Werift } from "./load_werift.ts";
import type { PageEvents } from "./page_media.ts";

/** Payload-specific feedback that asks for a key frame: its numbers in RFC 4585 and RFC 5104. */
const PICTURE_LOSS = 1;
const FULL_INTRA_REQUEST = 4;

/** What the page says of the pictures that it gets. */
export class ReceivedReports {
  readonly #ssrc: number;
  readonly #events: PageEvents;

  /** `ssrc`: of our pictures. */
  constructor(ssrc: number, events: PageEvents) {
    this.#ssrc = ssrc;
    this.#events = events;
  }

  take(packet: RtcpPacket, werift: Werift): void {
    if (packet instanceof werift.RtcpRrPacket || packet instanceof werift.RtcpSrPacket)
      this.#takeBlocks(packet.reports);
    if (packet instanceof werift.RtcpPayloadSpecificFeedback) {
      const { feedback } = packet as { feedback: { count?: number; mediaSsrc?: number } };
      const asks = feedback.count === PICTURE_LOSS || feedback.count === FULL_INTRA_REQUEST;
      if (asks && feedback.mediaSsrc === this.#ssrc) this.#events.keyFrameWanted();
    }
  }

  #takeBlocks(reports: readonly RtcpReceiverInfo[]): void {
    const ours = reports.find(({ ssrc }) => ssrc === this.#ssrc);
    if (ours !== undefined) this.#events.videoLoss(ours.fractionLost / 256);
  }
}
