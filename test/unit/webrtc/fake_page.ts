import {
  PictureLossIndication,
  ReceiverEstimatedMaxBitrate,
  RTCPeerConnection,
  RTCRtpCodecParameters,
  type RTCRtpTransceiver,
  type RtcpPacket,
  RtcpPayloadSpecificFeedback,
  RtcpReceiverInfo,
  RtcpRrPacket,
  RtcpSenderInfo,
  RtcpSrPacket,
  RtpHeader,
  RtpPacket,
  useAbsSendTime,
  useNACK,
  usePLI,
  useREMB,
  useSdesMid,
} from "werift";

export interface SeenPacket {
  readonly sequence: number;
  readonly timestamp: number;
  readonly marker: boolean;
  readonly payload: Uint8Array;
}

type Kind = "audio" | "video";

/** A page as far as a gateway sees one. */
export class FakePage {
  readonly seen: Record<Kind, SeenPacket[]> = { audio: [], video: [] };
  readonly limits: number[] = [];
  /** The same moment of each stream: RTP time and NTP time in ms. */
  readonly reports: Record<Kind, { readonly rtp: number; readonly ntp: number }[]> = { audio: [], video: [] };
  keyFramesAsked = 0;
  readonly #peer: RTCPeerConnection;
  readonly #lines: Record<Kind, RTCRtpTransceiver>;

  constructor() {
    this.#peer = new RTCPeerConnection({
      iceServers: [],
      iceUseIpv6: false,
      iceAdditionalHostAddresses: ["127.0.0.1"],
      iceInterfaceAddresses: { udp4: "127.0.0.1" },
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
    });
    const line = (kind: Kind) => {
      const made = this.#peer.addTransceiver(kind, { direction: "sendrecv" });
      made.sender.rtcpRunning = true;
      made.onTrack.subscribe((track) =>
        track.onReceiveRtp.subscribe(({ header, payload }) => {
          const { sequenceNumber: sequence, timestamp, marker } = header;
          this.seen[kind].push({ sequence, timestamp, marker, payload });
        }),
      );
      const note = (packet: RtcpPacket) => this.#note(kind, packet);
      made.receiver.onRtcp.subscribe(note);
      made.sender.onRtcp.subscribe(note);
      return made;
    };
    this.#lines = { audio: line("audio"), video: line("video") };
  }

  /** SDP, with all candidates. */
  async offer(): Promise<string> {
    await this.#peer.setLocalDescription(await this.#peer.createOffer());
    return this.#peer.localDescription?.sdp ?? "";
  }

  async take(answer: string): Promise<void> {
    const connected = new Promise<void>((resolve) => {
      this.#peer.connectionStateChange.subscribe((state) => {
        if (state === "connected") resolve();
      });
    });
    await this.#peer.setRemoteDescription({ type: "answer", sdp: answer });
    await connected;
  }

  send(kind: Kind, packet: SeenPacket): void {
    const { sequence, timestamp, marker, payload } = packet;
    const header = new RtpHeader({ sequenceNumber: sequence, timestamp, marker });
    void this.#lines[kind].sender.sendRtp(new RtpPacket(header, Buffer.from(payload)));
  }

  /** Says which RTP time is which moment, in ms since 1900. */
  report(kind: Kind, rtp: number, ntp: number): void {
    const { sender, dtlsTransport } = this.#lines[kind];
    const ntpTimestamp = (BigInt(Math.floor(ntp / 1000)) << 32n) | BigInt(Math.floor(((ntp % 1000) / 1000) * 2 ** 32));
    const senderInfo = new RtcpSenderInfo({ ntpTimestamp, rtpTimestamp: rtp, packetCount: 1, octetCount: 1 });
    void dtlsTransport.sendRtcp([new RtcpSrPacket({ ssrc: sender.ssrc, senderInfo })]);
  }

  /** Any bytes as RTCP: from the second packet on, for the first has to be one. */
  sendReport(bytes: Uint8Array): void {
    const { dtlsTransport, receiver } = this.#lines.video;
    const first = new RtcpRrPacket({ ssrc: receiver.rtcpSsrc, reports: [] });
    void dtlsTransport.sendRtcp([first, { serialize: () => Buffer.from(bytes) } as RtcpPacket]);
  }

  /** As one of another stream than those offered. */
  sendAs(ssrc: number, payload: Uint8Array): void {
    const header = new RtpHeader({ sequenceNumber: 1, timestamp: 1, ssrc, payloadType: 96 });
    void this.#lines.video.dtlsTransport.sendRtp(Buffer.from(payload), header);
  }

  askKeyFrame(): void {
    const { receiver, dtlsTransport } = this.#lines.video;
    const feedback = new PictureLossIndication({ senderSsrc: receiver.rtcpSsrc, mediaSsrc: this.#videoSsrc });
    void dtlsTransport.sendRtcp([new RtcpPayloadSpecificFeedback({ feedback })]);
  }

  /** A share of 256. */
  reportLoss(fractionLost: number): void {
    const { receiver, dtlsTransport } = this.#lines.video;
    const report = {
      ssrc: this.#videoSsrc,
      fractionLost,
      packetsLost: 1,
      highestSequence: 1,
      jitter: 0,
      lsr: 0,
      dlsr: 0,
    };
    const packet = new RtcpRrPacket({ ssrc: receiver.rtcpSsrc, reports: [new RtcpReceiverInfo(report)] });
    void dtlsTransport.sendRtcp([packet]);
  }

  /** Without a good-bye, as a page whose process was killed. */
  async vanish(): Promise<void> {
    for (const transport of this.#peer.iceTransports) await transport.connection.close();
  }

  close(): Promise<void> {
    return this.#peer.close();
  }

  get #videoSsrc(): number {
    return this.#lines.video.receiver.tracks[0]?.ssrc ?? 0;
  }

  #note(kind: Kind, packet: RtcpPacket): void {
    if (packet instanceof RtcpSrPacket) {
      const { ntpTimestamp, rtpTimestamp } = packet.senderInfo;
      const ntp = (Number(ntpTimestamp >> 32n) + Number(ntpTimestamp & 0xffff_ffffn) / 2 ** 32) * 1000;
      this.reports[kind].push({ rtp: rtpTimestamp, ntp });
    }
    if (!(packet instanceof RtcpPayloadSpecificFeedback)) return;
    const { feedback } = packet;
    if (feedback instanceof ReceiverEstimatedMaxBitrate) this.limits.push(Number(feedback.bitrate));
    if (feedback instanceof PictureLossIndication) this.keyFramesAsked++;
  }
}
