import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import {
  type RTCDtlsTransport,
  RTCPeerConnection,
  type RTCRtpTransceiver,
  RtcpPacketConverter,
  RtpHeader,
  RtpPacket,
} from "werift";
import { guardDatagrams, guardMedia, guardRepairs, PageRequests, readableReports } from "../../../src/webrtc/guard.ts";

/** One report of RTCP. */
function report(type: number, count: number, body: Uint8Array): Buffer {
  const header = Buffer.from([0x80 | count, type, 0, 0]);
  header.writeUInt16BE(body.length / 4, 2);
  return Buffer.concat([header, body]);
}

const peers: RTCPeerConnection[] = [];
afterEach(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.close()));
});

/** What werift would ask a page for, behind the guard. */
function repairs() {
  const peer = new RTCPeerConnection();
  peers.push(peer);
  const line: RTCRtpTransceiver = peer.addTransceiver("video");
  guardRepairs(line);
  const { nack } = line.receiver as unknown as {
    nack: { addPacket(packet: RtpPacket): void; lostSeqNumbers: number[] };
  };
  const add = (sequenceNumber: number) =>
    nack.addPacket(new RtpPacket(new RtpHeader({ sequenceNumber, ssrc: 5 }), Buffer.alloc(1)));
  return { nack, add };
}

describe("reports of a page", () => {
  it("are read, but for those that nobody wants and those that take too long", () => {
    const wanted = [report(201, 0, Buffer.alloc(4)), report(206, 1, Buffer.alloc(8)), report(205, 1, Buffer.alloc(12))];
    const slow = Buffer.alloc(20);
    slow.writeUInt16BE(0xffff, 10); // 65,535 packets came, in 8 chunks of two bytes
    const unwanted = [report(205, 15, slow), report(202, 1, Buffer.alloc(8)), report(205, 1, Buffer.alloc(1_000))];
    expect(readableReports(Buffer.concat(wanted.flatMap((one, index) => [unwanted[index] ?? one, one])))).toEqual(
      Buffer.concat(wanted),
    );
    expect(
      readableReports(Buffer.concat(Array.from({ length: 400 }, () => report(206, 1, Buffer.alloc(8))))),
    ).toHaveLength(16 * 12);
  });

  it("of noise throw nothing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (noise) => {
        expect(RtcpPacketConverter.deSerialize(readableReports(Buffer.from(noise))).length).toBeLessThanOrEqual(16);
      }),
    );
  });
});

describe("packets of a page", () => {
  it("are as short as a page sends them, and of DTLS as many as a handshake takes", () => {
    const seen = new Map<number, number>();
    const onData = { execute: ([first = 0]: Buffer) => void seen.set(first, (seen.get(first) ?? 0) + 1) };
    guardDatagrams(onData);
    for (const first of [20, 22, 63, 64, 128]) {
      for (let count = 0; count < 200; count++) onData.execute(Buffer.alloc(1_400, first));
      onData.execute(Buffer.alloc(60_000, first));
    }
    const ofDtls = [20, 22, 63].reduce((sum, first) => sum + (seen.get(first) ?? 0), 0);
    expect([ofDtls, seen.get(64), seen.get(128)]).toEqual([300, 200, 200]);
  });

  it("are decrypted if they are of a stream that it offered", () => {
    let connect = (_state: string) => {};
    const onStateChange = {
      subscribe: (listener: typeof connect) => {
        connect = listener;
      },
    };
    const opened: number[] = [];
    const decrypt = (packet: Buffer) => {
      opened.push(packet.length);
      return packet;
    };
    const transport = { onStateChange, srtp: { decrypt }, srtcp: { decrypt } };
    guardMedia(transport as unknown as RTCDtlsTransport, new Set([5]));
    connect("connected");
    const rtp = (ssrc: number, length: number) =>
      Buffer.concat([new RtpHeader({ ssrc }).serialize(12), Buffer.alloc(length)]);
    transport.srtp.decrypt(rtp(5, 100));
    for (const packet of [rtp(6, 100), Buffer.alloc(11)]) {
      expect(() => transport.srtp.decrypt(packet)).toThrow("no stream that the page offered");
    }
    expect(transport.srtcp.decrypt(report(201, 0, Buffer.alloc(4)))).toHaveLength(8);
    expect(opened).toEqual([112, 8]);
  });
});

describe("packets that a page is asked for again", () => {
  it("are those of a small gap", () => {
    const { nack, add } = repairs();
    for (const number of [10, 11, 14]) add(number);
    expect(nack.lostSeqNumbers).toEqual([12, 13]);
    add(12);
    expect(nack.lostSeqNumbers).toEqual([13]);
  });

  it("are none where the numbers jump, or a late one is from before they went round", () => {
    const { nack, add } = repairs();
    for (const number of [65_535, 65_534, 65_535, 3, 65_500, 30_000, 2, 40_000]) add(number);
    expect(nack.lostSeqNumbers).toEqual([]);
  });

  it("are those behind the end of the counter, too", () => {
    const { nack, add } = repairs();
    for (const number of [65_533, 1, 2, 4]) add(number);
    expect(nack.lostSeqNumbers).toEqual([3]);
  });
});

describe("a binding request", () => {
  it("is a page's if it knows both names, from 32 places at most", () => {
    const requests = new PageRequests();
    const names = ["ours:theirs"];
    expect(requests.isOurs("ours:x", names, ["127.0.0.1", 1])).toBe(false);
    expect(requests.isOurs(undefined, names, ["127.0.0.1", 1])).toBe(false);
    const ports = Array.from({ length: 40 }, (_, index) => index + 1);
    const places = ports.filter((port) => requests.isOurs("ours:theirs", names, ["127.0.0.1", port]));
    expect(places).toHaveLength(32);
    expect(requests.isOurs("ours:theirs", names, ["127.0.0.1", 1])).toBe(true);
  });
});
