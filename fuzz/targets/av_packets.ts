/** What friends say in a call. */
import { type AudioPayload, decodeAudioPayload, encodeAudioPayload } from "../../src/wire/av/audio_payload.ts";
import {
  type BandwidthReport,
  decodeBandwidthReport,
  encodeBandwidthReport,
} from "../../src/wire/av/bandwidth_report.ts";
import {
  decodeMediaReport,
  decodeVideoRepair,
  encodeMediaReport,
  encodeVideoRepair,
  type MediaReport,
  type MissingPiece,
} from "../../src/wire/av/call_feedback.ts";
import { decodeMsi, encodeMsi, type MsiMessage } from "../../src/wire/av/msi.ts";
import { atMost, codec, family, into } from "../codec.ts";
import { bytes } from "../samples.ts";

const MAX_U32 = 0xffff_ffff;

export const { fuzz, corpus, limitMs } = family(
  codec<MsiMessage>({
    name: "signal",
    samples: [
      { request: "init", capabilities: 60 },
      { request: "push", capabilities: 0 },
      { request: "pop", error: "undisclosed" },
    ],
    encode: into(encodeMsi),
    decode: decodeMsi,
    // fields may come in any order, and more than once
    canonical: () => undefined,
  }),
  codec<BandwidthReport>({
    name: "bandwidth report",
    samples: [{ lost: 0, received: MAX_U32 }],
    encode: into(encodeBandwidthReport),
    decode: decodeBandwidthReport,
  }),
  codec<MediaReport>({
    name: "media report",
    samples: [{ audio: { received: 1, lost: MAX_U32 }, video: { received: 0, lost: 2 }, queueing: 65_535 }],
    encode: into(encodeMediaReport),
    decode: decodeMediaReport,
  }),
  codec<MissingPiece[]>({
    name: "video repair",
    samples: [[{ sequence: 65_535, piece: undefined }], new Array(64).fill({ sequence: 1, piece: 2 })],
    beyond: [new Array(65).fill({ sequence: 1, piece: 2 })],
    encode: into(encodeVideoRepair),
    decode: decodeVideoRepair,
    bounds: (missing) => atMost(64, missing.length, "the list"),
  }),
  codec<AudioPayload>({
    name: "frame of sound",
    samples: [{ sampleRate: 48_000, packet: Uint8Array.of(0xf8, ...bytes(100)), channels: 1, duration: 20 }],
    encode: into(({ sampleRate, packet }: AudioPayload) => encodeAudioPayload(sampleRate, packet)),
    decode: decodeAudioPayload,
    bounds: ({ duration }) => atMost(120, duration, "the packet"),
  }),
);
