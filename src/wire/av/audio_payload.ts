/**
 * A frame of sound: the rate that the encoder was fed with, and the Opus packet. c-toxcore `toxav/audio.c`.
 *
 *   4  samples a second, 1 to 48,000
 *   *  Opus packet
 */
import { readU32, writeU32 } from "../../util/bytes.ts";
import type { Drop } from "../drop.ts";
import { type OpusPacketFacts, opusPacketFacts } from "./opus_packet.ts";

export const MAX_SAMPLE_RATE = 48_000;

const HEADER_SIZE = 4;

export interface AudioPayload extends OpusPacketFacts {
  readonly sampleRate: number;
  /** A view of the payload. */
  readonly packet: Uint8Array;
}

export function encodeAudioPayload(sampleRate: number, packet: Uint8Array): Uint8Array {
  const payload = new Uint8Array(HEADER_SIZE + packet.length);
  writeU32(payload, 0, sampleRate);
  payload.set(packet, HEADER_SIZE);
  return payload;
}

export function decodeAudioPayload(payload: Uint8Array, drop: Drop): AudioPayload | undefined {
  if (payload.length <= HEADER_SIZE) return drop("truncated");
  const sampleRate = readU32(payload, 0);
  if (sampleRate === 0 || sampleRate > MAX_SAMPLE_RATE) return drop("malformed");
  const packet = payload.subarray(HEADER_SIZE);
  const facts = opusPacketFacts(packet);
  if (facts === undefined) return drop("malformed");
  return { sampleRate, packet, ...facts };
}
