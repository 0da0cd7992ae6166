/**
 * What came and what did not since the last report, lossy packet 196. c-toxcore `toxav/bwcontroller.c`.
 *
 *   1  196
 *   4  bytes lost
 *   4  bytes received
 */
import { readU32, writeU32 } from "../../util/bytes.ts";
import type { Drop } from "../drop.ts";
import { AvPacketId } from "./rtp.ts";

const SIZE = 9;

export interface BandwidthReport {
  readonly lost: number;
  readonly received: number;
}

export function encodeBandwidthReport({ lost, received }: BandwidthReport): Uint8Array {
  const packet = new Uint8Array(SIZE);
  packet[0] = AvPacketId.BandwidthReport;
  writeU32(packet, 1, lost);
  writeU32(packet, 5, received);
  return packet;
}

export function decodeBandwidthReport(packet: Uint8Array, drop: Drop): BandwidthReport | undefined {
  if (packet[0] !== AvPacketId.BandwidthReport) return drop("unknown-id");
  if (packet.length < SIZE) return drop("truncated");
  if (packet.length > SIZE) return drop("oversized");
  return { lost: readU32(packet, 1), received: readU32(packet, 5) };
}
