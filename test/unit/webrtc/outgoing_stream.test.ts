import { describe, expect, it } from "vitest";
import type { RTCRtpTransceiver, RtcpPacket } from "werift";
import * as werift from "werift";
import { OutgoingStream } from "../../../src/webrtc/outgoing_stream.ts";

/** A stream of sound, and what it reports. */
function stream() {
  const reports: Buffer[] = [];
  const line = {
    sender: { ssrc: 7, sendRtp: async () => {} },
    dtlsTransport: {
      sendRtcp: async (packets: RtcpPacket[]) => void reports.push(...packets.map((packet) => packet.serialize())),
    },
  };
  const made = new OutgoingStream(werift, line as unknown as RTCRtpTransceiver, 48, "name");
  return { made, reports };
}

describe("a stream to a page", () => {
  it.each([-5, -0.5, 2 ** 32, 2 ** 45, 1234.5, 0])("reports a frame's time of %d ms", async (time) => {
    const { made, reports } = stream();
    made.send([new Uint8Array(1)], time);
    made.report();
    await Promise.resolve();
    const [report] = reports;
    const ntp = (report?.readUInt32BE(8) ?? 0) * 1000 + ((report?.readUInt32BE(12) ?? 0) / 2 ** 32) * 1000;
    expect(ntp).toBeCloseTo((2_208_988_800_000 + time) % (2 ** 32 * 1000), 2);
  });
});
