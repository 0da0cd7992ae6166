/** Sound from a stranger, in packets with their lengths before them: any may be lost, and each is a chance to go wrong. */
import type { OpusSampleRate } from "../../src/env/codec.ts";
import { loadOpus, toneSource } from "../../src/node/media/index.ts";
import { concatBytes } from "../../src/util/bytes.ts";
import { atMost, broken } from "../codec.ts";
import { packed, unpacked } from "../support/pieces.ts";

const RATES: readonly OpusSampleRate[] = [8000, 12_000, 16_000, 24_000, 48_000];
const opus = await loadOpus();

export async function fuzz(data: Uint8Array): Promise<void> {
  const [kind = 0] = data;
  const sampleRate = RATES[kind % RATES.length] ?? 48_000;
  const channels = kind & 0x80 ? 2 : 1;
  const unit = sampleRate / 400;
  const decoder = await opus.decoder({ sampleRate, channels });
  const check = (pcm: Int16Array, length?: number) => {
    if (pcm.length % (unit * channels) !== 0) broken(`${pcm.length} samples`, data);
    atMost(48 * unit * channels, pcm.length, "samples");
    if (length !== undefined && pcm.length !== length * channels) broken("concealment has another length", data);
  };
  try {
    for (const [i, packet] of unpacked(data.subarray(1)).entries()) {
      if (i % 5 === 3) check(decoder.recover(packet, 8 * unit), 8 * unit);
      if (i % 7 === 5) check(decoder.conceal(8 * unit), 8 * unit);
      check(decoder.decode(packet));
    }
  } finally {
    decoder.close();
  }
}

const samples: Uint8Array[] = [];
for (const [kind, bitRate, purpose] of [
  [0, 8_000, "voice"],
  [2, 16_000, "voice"],
  [4, 64_000, "music"],
  [0x84, 64_000, "voice"],
] as const) {
  const shape = { sampleRate: RATES[kind % RATES.length] ?? 48_000, channels: kind & 0x80 ? 2 : 1 } as const;
  const encoder = await opus.encoder({ ...shape, bitRate, purpose });
  encoder.lossPercent = 30;
  const tone = toneSource(440, shape);
  const packets: Uint8Array[] = [];
  for (const ms of [20, 20, 20, 60, 10, 20]) {
    packets.push(encoder.encode((await tone.read((shape.sampleRate * ms) / 1000)) ?? new Int16Array()));
  }
  encoder.close();
  samples.push(concatBytes(Uint8Array.of(kind), packed(packets)));
}

export const corpus = (): Iterable<Uint8Array> => samples;
export const limitMs = 500;
