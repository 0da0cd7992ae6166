import { randomInt } from "node:crypto";
import type { RTCPeerConnection, RTCRtpTransceiver, RtcpPacket } from "werift";
import { AudioRow, FIRST_SEQUENCE } from "./audio_row.ts";
import { closePeer } from "./close_peer.ts";
import { FrameBuilder } from "./frame_builder.ts";
import { guardLines, PageRequests } from "./guard.ts";
import { loadWerift, type Werift } from "./load_werift.ts";
import { OutgoingStream } from "./outgoing_stream.ts";
import { expectOwnAddresses } from "./own_addresses.ts";
import type { NumberedFrame, PageEvents, PageFrame, PageMedia } from "./page_media.ts";
import { checkedOffer, finishedAnswer, type PageEncoding, refusedOffer } from "./page_offer.ts";
import { PageTimes } from "./page_times.ts";
import { ReceivedReports } from "./received_reports.ts";
import { packetizeVp8 } from "./vp8_payload.ts";

/** How often the page is told what its pictures may take, and when ours were sent, in ms. */
const REPORT_INTERVAL = 500;
/** A page that has been silent for so long is gone, in ms: it asks whether we are there every 2.5 s at least. */
const GONE_AFTER = 8_000;
/** … and one that never came after so long. */
const NEVER_CAME_AFTER = 20_000;
const ANY = "0.0.0.0";
/** What pictures take beyond their bits: headers of RTP, and the least that a browser pads. */
const OVERHEAD = 1.03;

export interface WebRtcPageOptions {
  readonly events: PageEvents;
  readonly encoding: PageEncoding;
  /** Where the page finds us. */
  readonly addresses: readonly string[];
}

/** A page that is connected by WebRTC, on this machine. */
export class WebRtcPage implements PageMedia {
  /** For the page: SDP. */
  readonly answer: string;
  readonly connected: Promise<boolean>;
  readonly closed: Promise<"closed" | "page-gone">;
  readonly #werift: Werift;
  readonly #peer: RTCPeerConnection;
  readonly #events: PageEvents;
  readonly #audio: OutgoingStream;
  readonly #video: OutgoingStream;
  readonly #videoLine: RTCRtpTransceiver;
  readonly #row = new AudioRow({ sequence: randomInt(FIRST_SEQUENCE, 2 ** 15), timestamp: randomInt(2 ** 31) });
  readonly #times = new PageTimes();
  readonly #builder: FrameBuilder;
  readonly #reports: ReceivedReports;
  readonly #timer: NodeJS.Timeout;
  readonly #connection = Promise.withResolvers<boolean>();
  readonly #end = Promise.withResolvers<"closed" | "page-gone">();
  #videoLimit: number;
  #videoSsrc: number | undefined;
  #keyFrameDue = false;
  #heardAt = performance.now();
  #hasCome = false;
  #isConnected = false;
  /** Pictures were sent when the page could not be reached yet. */
  #hasMissed = false;
  #lastAudio: number | undefined;
  #isOver = false;

  /** Rejects with `invalid-argument` for what is no usable offer, `codec-unavailable` where werift is not installed. */
  static async open(offer: string, options: WebRtcPageOptions): Promise<WebRtcPage> {
    const sdp = checkedOffer(offer);
    await expectOwnAddresses(options.addresses);
    const werift = await loadWerift();
    let heard = () => {};
    const requests = new PageRequests();
    const peer: RTCPeerConnection = new werift.RTCPeerConnection({
      ...configuration(werift, options.addresses),
      iceFilterStunResponse: (request, remote) => {
        const ways = peer.iceTransports.map(({ connection: way }) => `${way.localUsername}:${way.remoteUsername}`);
        const isOurs = requests.isOurs(request.getAttributeValue("USERNAME"), ways, remote);
        if (isOurs) heard();
        return isOurs;
      },
    });
    try {
      await peer.setRemoteDescription({ type: "offer", sdp });
      const [audio, video] = ["audio", "video"].map((kind) => peer.getTransceivers().find((one) => one.kind === kind));
      if (audio === undefined || video === undefined)
        throw new Error("there is no line for sound, or none for pictures");
      for (const line of [audio, video]) {
        line.setDirection("sendrecv");
        line.sender.rtcpRunning = true; // we report ourselves: its reports are of when packets left, not of when they were taken
      }
      await peer.setLocalDescription(await peer.createAnswer());
      guardLines(audio, video);
      const answer = finishedAnswer(peer.localDescription?.sdp ?? "", options.encoding, options.addresses);
      const page = new WebRtcPage(werift, peer, { audio, video }, answer, options);
      heard = () => page.#heard();
      return page;
    } catch (error) {
      await closePeer(peer);
      throw refusedOffer(error);
    }
  }

  private constructor(
    werift: Werift,
    peer: RTCPeerConnection,
    lines: { readonly audio: RTCRtpTransceiver; readonly video: RTCRtpTransceiver },
    answer: string,
    { events, encoding }: WebRtcPageOptions,
  ) {
    this.answer = answer;
    this.connected = this.#connection.promise;
    this.closed = this.#end.promise;
    this.#werift = werift;
    this.#peer = peer;
    this.#events = events;
    this.#videoLine = lines.video;
    this.#videoLimit = encoding.videoBitRate;
    this.#audio = new OutgoingStream(werift, lines.audio, 48, peer.cname);
    this.#video = new OutgoingStream(werift, lines.video, 90, peer.cname);
    this.#reports = new ReceivedReports(lines.video.sender.ssrc, events);
    this.#builder = new FrameBuilder(
      ({ data, timestamp }) => events.video({ data, timestamp: this.#times.video(timestamp, performance.now()) }),
      () => this.askKeyFrame(),
    );
    this.#listen(lines.audio, (packet) => this.#takeAudio(packet));
    this.#listen(lines.video, (packet) => this.#takeVideo(packet));
    this.#watchReports(lines.audio, (moment) => this.#times.noteAudio(moment));
    this.#watchReports(lines.video, (moment) => this.#times.noteVideo(moment));
    peer.connectionStateChange.subscribe((state) => {
      if (state === "connected") this.#connected();
      if (state === "failed" || state === "closed" || state === "disconnected") this.#finish("page-gone");
    });
    this.#timer = setInterval(() => this.#everyHalfSecond(), REPORT_INTERVAL);
    this.#timer.unref();
  }

  sendAudio(frame: NumberedFrame): void {
    this.#audio.sendAt(this.#row.placeOf(frame), frame.data, frame.timestamp);
  }

  sendVideo({ data, timestamp }: PageFrame): void {
    this.#hasMissed ||= !this.#isConnected;
    if (!this.#video.send(packetizeVp8(data), timestamp)) this.#events.keyFrameWanted();
  }

  askKeyFrame(): void {
    this.#keyFrameDue = true;
    this.#requestKeyFrame();
  }

  limitVideo(bitRate: number): void {
    const isLess = bitRate < this.#videoLimit;
    this.#videoLimit = bitRate;
    if (isLess) this.#sendLimit(); // what is too much should not go on for half a second
  }

  async close(): Promise<void> {
    this.#finish("closed");
    await this.closed;
  }

  #listen(line: RTCRtpTransceiver, take: (packet: IncomingPacket) => void): void {
    const watch = (track: RTCRtpTransceiver["receiver"]["track"]) =>
      track.onReceiveRtp.subscribe(({ header, payload }) => {
        this.#heard();
        if (!this.#isOver) take({ ...pick(header), payload });
      });
    for (const track of line.receiver.tracks) watch(track);
    line.onTrack.subscribe((track) => watch(track));
  }

  #watchReports(line: RTCRtpTransceiver, note: (moment: { rtp: number; page: number }) => void): void {
    line.receiver.onRtcp.subscribe((packet: RtcpPacket) => {
      this.#heard();
      if (this.#isOver) return;
      if (packet instanceof this.#werift.RtcpSrPacket) note(momentOf(packet.senderInfo));
      this.#reports.take(packet, this.#werift);
    });
    line.sender.onRtcp.subscribe((packet: RtcpPacket) => {
      this.#heard();
      if (!this.#isOver) this.#reports.take(packet, this.#werift);
    });
  }

  #connected(): void {
    this.#isConnected = true;
    this.#connection.resolve(true);
    if (this.#hasMissed) this.#events.keyFrameWanted();
  }

  #heard(): void {
    this.#heardAt = performance.now();
    this.#hasCome = true;
  }

  #takeAudio({ sequence, timestamp, payload }: IncomingPacket): void {
    const isLate = this.#lastAudio !== undefined && ((sequence - this.#lastAudio) & 0xffff) >= 0x8000;
    if (isLate || sequence === this.#lastAudio || payload.length === 0) return;
    this.#lastAudio = sequence;
    this.#events.audio({ data: payload, timestamp: this.#times.audio(timestamp, performance.now()) });
  }

  #takeVideo(packet: IncomingPacket): void {
    if (this.#videoSsrc === undefined) {
      this.#videoSsrc = packet.ssrc;
      this.#sendLimit();
      if (this.#keyFrameDue) this.#requestKeyFrame();
    }
    this.#builder.add(packet, performance.now());
  }

  #requestKeyFrame(): void {
    if (this.#videoSsrc === undefined || this.#isOver) return; // asked when the first packet comes
    this.#keyFrameDue = false;
    this.#videoLine.receiver.sendRtcpPLI(this.#videoSsrc).catch(() => {});
  }

  #everyHalfSecond(): void {
    const silence = performance.now() - this.#heardAt;
    if (silence > (this.#hasCome ? GONE_AFTER : NEVER_CAME_AFTER)) {
      this.#finish("page-gone");
      return;
    }
    this.#sendLimit();
    this.#audio.report();
    this.#video.report();
  }

  /** REMB, which browsers obey exactly. */
  #sendLimit(): void {
    if (this.#videoSsrc === undefined || this.#isOver) return;
    const { receiver, dtlsTransport } = this.#videoLine;
    const { RtcpPayloadSpecificFeedback, ReceiverEstimatedMaxBitrate } = this.#werift;
    const bitRate = Math.round(this.#videoLimit * OVERHEAD);
    const exponent = Math.max(0, Math.ceil(Math.log2((bitRate + 1) / 2 ** 18)));
    const feedback = new ReceiverEstimatedMaxBitrate({
      senderSsrc: receiver.rtcpSsrc,
      mediaSsrc: 0,
      ssrcNum: 1,
      brExp: exponent,
      brMantissa: Math.floor(bitRate / 2 ** exponent),
      ssrcFeedbacks: [this.#videoSsrc],
    });
    dtlsTransport.sendRtcp([new RtcpPayloadSpecificFeedback({ feedback })]).catch(() => {});
  }

  #finish(reason: "closed" | "page-gone"): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#timer);
    this.#connection.resolve(false);
    this.#audio.close();
    this.#video.close();
    void closePeer(this.#peer).then(() => this.#end.resolve(reason));
  }
}

interface IncomingPacket {
  readonly ssrc: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly marker: boolean;
  readonly payload: Uint8Array;
}

function pick(header: { ssrc: number; sequenceNumber: number; timestamp: number; marker: boolean }) {
  const { ssrc, sequenceNumber: sequence, timestamp, marker } = header;
  return { ssrc, sequence, timestamp, marker };
}

/** NTP's 32 bits of seconds and 32 of fractions, in ms. */
function momentOf({ ntpTimestamp, rtpTimestamp }: { ntpTimestamp: bigint; rtpTimestamp: number }) {
  const seconds = Number(ntpTimestamp >> 32n);
  const fraction = Number(ntpTimestamp & 0xffff_ffffn) / 2 ** 32;
  return { rtp: rtpTimestamp, page: (seconds + fraction) * 1000 };
}

/** Nobody is asked where we are: no server, no name of a candidate, no address but those given. */
function configuration(werift: Werift, addresses: readonly string[]) {
  const [first] = addresses;
  const { RTCRtpCodecParameters, usePLI, useNACK, useREMB, useSdesMid, useAbsSendTime } = werift;
  return {
    iceServers: [],
    iceLite: true,
    iceUseIpv4: true,
    iceUseIpv6: false,
    iceUseTcp: false,
    iceAdditionalHostAddresses: [...addresses],
    iceInterfaceAddresses: { udp4: addresses.length === 1 && first !== undefined ? first : ANY },
    codecs: {
      audio: [new RTCRtpCodecParameters({ mimeType: "audio/opus", clockRate: 48_000, channels: 2 })],
      video: [
        new RTCRtpCodecParameters({
          mimeType: "video/VP8",
          clockRate: 90_000,
          rtcpFeedback: [useNACK(), usePLI(), useREMB()],
        }),
      ],
    },
    headerExtensions: { audio: [useSdesMid()], video: [useSdesMid(), useAbsSendTime()] },
  };
}
