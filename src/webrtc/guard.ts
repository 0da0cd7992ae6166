import type { RTCDtlsTransport, RTCRtpTransceiver, RtpPacket } from "werift";

/** What a page sends fits an Ethernet frame; from one on this machine, 64 KB can come. */
const MAX_PACKET = 2_048;
/** Of DTLS, from one page: a handshake takes some 20, more where some are lost. */
const MAX_DTLS = 300;
/** First bytes, as in RFC 7983. */
const DTLS_FROM = 20;
const DTLS_TO = 64;
/** Of RTCP in one. */
const MAX_REPORTS = 16;
/** What asks for packets again, in bytes: each of its 4 asks for 17, of the last 128. */
const MAX_NACK = 256;
const SOURCE_DESCRIPTION = 202;
const TRANSPORT_FEEDBACK = 205;
const GENERIC_NACK = 1;
/** Missing packets that a page is asked for at once, as many as werift keeps. */
const MAX_GAP = 150;

/** Keeps from werift what it has no bounds for. To be called once the offer is set. */
export function guardLines(audio: RTCRtpTransceiver, video: RTCRtpTransceiver): void {
  const lines = [audio, video];
  const ssrcs = new Set(lines.flatMap(({ receiver }) => receiver.tracks.map(({ ssrc }) => ssrc ?? 0)));
  for (const transport of new Set(lines.map((line) => line.dtlsTransport))) {
    guardDatagrams(transport.iceTransport.connection.onData);
    guardMedia(transport, ssrcs);
  }
  guardRepairs(video);
}

/** Keeps away what is longer than a page sends, and all of DTLS beyond what a handshake takes: werift keeps each part of one. */
export function guardDatagrams(onData: { execute: (datagram: Buffer) => void }): void {
  const { execute } = onData;
  let ofDtls = 0;
  onData.execute = (datagram) => {
    const [first = 0] = datagram;
    const isDtls = first >= DTLS_FROM && first < DTLS_TO;
    if (datagram.length > MAX_PACKET || (isDtls && ++ofDtls > MAX_DTLS)) return;
    execute(datagram);
  };
}

/**
 * Keeps away streams that the offer has not named, each of which would stay in tables, and reports that take up to 40 ms to read. To
 * be called before the transport is connected.
 */
export function guardMedia(transport: RTCDtlsTransport, ssrcs: ReadonlySet<number>): void {
  transport.onStateChange.subscribe((state) => {
    if (state === "connected") guardPackets(transport, ssrcs);
  });
}

function guardPackets({ srtp, srtcp }: RTCDtlsTransport, ssrcs: ReadonlySet<number>): void {
  const openRtp = srtp.decrypt;
  srtp.decrypt = (packet) => {
    if (packet.length < 12 || !ssrcs.has(packet.readUInt32BE(8))) throw unwanted();
    return openRtp(packet);
  };
  const openRtcp = srtcp.decrypt;
  srtcp.decrypt = (packet) => readableReports(openRtcp(packet));
}

/** Without those that nobody here reads, or that are too long. */
export function readableReports(compound: Buffer): Buffer {
  const kept: Buffer[] = [];
  for (let at = 0; at + 4 <= compound.length && kept.length < MAX_REPORTS; ) {
    const length = 4 * (compound.readUInt16BE(at + 2) + 1);
    const report = compound.subarray(at, at + length);
    if (report.length === length && isWanted(report)) kept.push(report);
    at += length;
  }
  return Buffer.concat(kept);
}

function isWanted(report: Buffer): boolean {
  const type = report[1];
  if (type === SOURCE_DESCRIPTION) return false;
  if (type !== TRANSPORT_FEEDBACK) return true;
  return ((report[0] ?? 0) & 0x1f) === GENERIC_NACK && report.length <= 12 + MAX_NACK;
}

/**
 * Where numbers go round, and where one is far from the last, nothing is asked for again: werift would list all that it takes to lie between
 * as missing, 65,000 in 12 ms, or ask for nothing any more.
 */
export function guardRepairs({ receiver }: RTCRtpTransceiver): void {
  const { nack } = receiver as unknown as { nack: { newEstSeqNum: number; addPacket(packet: RtpPacket): void } };
  const add = nack.addPacket.bind(nack);
  nack.addPacket = (packet) => {
    const { sequenceNumber: number } = packet.header;
    const last = nack.newEstSeqNum;
    const step = (number - last) & 0xffff;
    const isNewer = step < 0x8000;
    if (isNewer && (step > MAX_GAP || number < last)) nack.newEstSeqNum = number;
    else if (isNewer || number < last) add(packet);
  };
}

/** werift drops the packet. */
function unwanted(): Error {
  return new Error("It is of no stream that the page offered.");
}

/** Of a page, on all ways that it tries. */
const MAX_REMOTES = 32;

/** Tells a page's binding requests from those of others, which werift answers and remembers as well. */
export class PageRequests {
  readonly #remotes = new Set<string>(); // MAX_REMOTES

  /** `username`: of the request; `expected`: those of the page's ways here. */
  isOurs(username: unknown, expected: readonly string[], [host, port]: readonly [string, number]): boolean {
    if (typeof username !== "string" || !expected.includes(username)) return false;
    const remote = `${host} ${port}`;
    if (this.#remotes.size < MAX_REMOTES) this.#remotes.add(remote);
    return this.#remotes.has(remote);
  }
}
