import { randomInt } from "node:crypto";
import type { RTCRtpTransceiver } from "werift";
import type { RowPlace } from "./audio_row.ts";
import type { Werift } from "./load_werift.ts";

/** So many packets leave at once, for a socket takes no more … */
const BURST = 40;
/** … and the next so long after them, in ms. */
const BREATH = 2;
/** What may wait to leave: a frame of 4 MiB. */
const MAX_WAITING = 4_096;
/** Between 1900 and 1970, in s. */
const NTP_EPOCH = 2_208_988_800;

interface WaitingPacket {
  readonly sequence: number;
  readonly timestamp: number;
  readonly marker: boolean;
  readonly payload: Uint8Array;
}

/** One stream of RTP towards the page: numbers, times, and what waits to leave. */
export class OutgoingStream {
  readonly #werift: Werift;
  readonly #line: RTCRtpTransceiver;
  readonly #perMs: number;
  readonly #name: string;
  readonly #waiting: WaitingPacket[] = []; // MAX_WAITING
  #sequence = randomInt(2 ** 15);
  readonly #firstTimestamp = randomInt(2 ** 31);
  #packets = 0;
  #bytes = 0;
  /** The same moment on the clock that all streams share, in ms, and on this one's. */
  #last: { readonly time: number; readonly timestamp: number } | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `perMs`: units of the stream's clock in a millisecond; `name`: of the sender, the same for all streams that share a clock. */
  constructor(werift: Werift, line: RTCRtpTransceiver, perMs: number, name: string) {
    this.#name = name;
    this.#werift = werift;
    this.#line = line;
    this.#perMs = perMs;
  }

  /** The payloads of one frame. False: so much waits that it was left out. */
  send(payloads: readonly Uint8Array[], time: number): boolean {
    if (this.#waiting.length + payloads.length > MAX_WAITING) return false;
    const timestamp = this.#timestampOf(time);
    this.#last = { time, timestamp };
    payloads.forEach((payload, index) => {
      this.#sequence = (this.#sequence + 1) & 0xffff;
      const marker = index === payloads.length - 1;
      this.#waiting.push({ sequence: this.#sequence, timestamp, marker, payload });
    });
    if (this.#timer === undefined) this.#drain();
    return true;
  }

  /** One packet that is a whole frame, in its place. */
  sendAt(place: RowPlace, payload: Uint8Array, time: number): void {
    this.#last = { time, timestamp: place.timestamp };
    this.#transmit({ ...place, marker: false, payload });
  }

  /**
   * Tells the page which moment of this stream is which on the clock that all streams share: the times of frames themselves. A browser shows
   * and plays together what has the same.
   */
  report(): void {
    if (this.#last === undefined) return;
    const { RtcpSrPacket, RtcpSenderInfo, RtcpSourceDescriptionPacket, SourceDescriptionChunk, SourceDescriptionItem } =
      this.#werift;
    const { ssrc } = this.#line.sender;
    const senderInfo = new RtcpSenderInfo({
      ntpTimestamp: ntpOf(this.#last.time),
      rtpTimestamp: this.#last.timestamp,
      packetCount: this.#packets >>> 0,
      octetCount: this.#bytes >>> 0,
    });
    const name = new SourceDescriptionItem({ type: 1, text: this.#name });
    const packets = [
      new RtcpSrPacket({ ssrc, senderInfo }),
      new RtcpSourceDescriptionPacket({ chunks: [new SourceDescriptionChunk({ source: ssrc, items: [name] })] }),
    ];
    this.#line.dtlsTransport.sendRtcp(packets).catch(() => {});
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting.length = 0;
  }

  #drain(): void {
    this.#timer = undefined;
    for (const packet of this.#waiting.splice(0, BURST)) this.#transmit(packet);
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#drain(), BREATH);
  }

  #transmit({ sequence, timestamp, marker, payload }: WaitingPacket): void {
    const { RtpPacket, RtpHeader } = this.#werift;
    this.#packets++;
    this.#bytes += payload.length;
    const header = new RtpHeader({ sequenceNumber: sequence, timestamp, marker });
    const data = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
    this.#line.sender.sendRtp(new RtpPacket(header, data)).catch(() => {});
  }

  #timestampOf(time: number): number {
    return (this.#firstTimestamp + Math.round((time * this.#perMs) % 2 ** 32)) >>> 0;
  }
}

/** 64 bits, whatever the time is. */
function ntpOf(time: number): bigint {
  const seconds = Math.floor(time / 1000);
  const fraction = Math.floor((time / 1000 - seconds) * 2 ** 32);
  return BigInt.asUintN(64, (BigInt(NTP_EPOCH + seconds) << 32n) | BigInt(fraction));
}
