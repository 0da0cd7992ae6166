import { describe, expect, it } from "vitest";
import type { OpusChannels, OpusDecoder, OpusEncoder, OpusSampleRate } from "../../../../src/env/codec.ts";
import { loadOpus, toneSource } from "../../../../src/node/media/index.ts";
import { SeededRandom } from "../../../../src/testing/index.ts";
import { randomBytes } from "../../../../src/util/random_numbers.ts";
import { ToxError } from "../../../../src/util/tox_error.ts";
import { channelOf, dominantFrequency, longestGap, toneToNoise } from "../../../support/recognise.ts";

const opus = await loadOpus();
const RATES: readonly OpusSampleRate[] = [8000, 12_000, 16_000, 24_000, 48_000];

async function packetsOf(
  encoder: OpusEncoder,
  { sampleRate, channels }: { sampleRate: OpusSampleRate; channels: OpusChannels },
  count: number,
  ms = 20,
): Promise<Uint8Array[]> {
  const tone = toneSource(440, { sampleRate, channels });
  const packets: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const pcm = await tone.read((sampleRate * ms) / 1000);
    if (pcm) packets.push(encoder.encode(pcm));
  }
  return packets;
}

function play(decoder: OpusDecoder, packets: Iterable<Uint8Array>): Int16Array {
  return joined([...packets].map((packet) => decoder.decode(packet)));
}

function joined(pieces: readonly Int16Array[]): Int16Array {
  return Int16Array.from(pieces.flatMap((piece) => [...piece]));
}

describe("Opus", () => {
  it("carries a tone at each rate, on one channel and on two", async () => {
    for (const sampleRate of RATES) {
      for (const channels of [1, 2] as const) {
        const shape = { sampleRate, channels };
        const encoder = await opus.encoder({ ...shape, bitRate: 32_000 });
        const decoder = await opus.decoder(shape);
        const heard = play(decoder, await packetsOf(encoder, shape, 50));
        expect(heard.length).toBe(sampleRate * channels);
        const last = channelOf(heard, channels - 1, channels);
        expect(dominantFrequency(last, sampleRate), `${sampleRate} Hz`).toBeCloseTo(440, -1);
        expect(longestGap(last.subarray(sampleRate / 10), sampleRate)).toBeLessThan(2);
        encoder.close();
        decoder.close();
      }
    }
  });

  it("takes packets of every length, and none of another", async () => {
    const shape = { sampleRate: 48_000, channels: 2 } as const;
    const encoder = await opus.encoder({ ...shape, bitRate: 64_000 });
    const decoder = await opus.decoder(shape);
    for (const ms of [2.5, 5, 10, 20, 40, 60]) {
      const packet = encoder.encode(new Int16Array(ms * 48 * 2));
      expect(decoder.decode(packet).length).toBe(ms * 48 * 2);
    }
    for (const samples of [0, 1, 959, 961, 80 * 48, 120 * 48]) {
      expect(() => encoder.encode(new Int16Array(samples * 2))).toThrow(ToxError);
    }
    expect(() => encoder.encode(new Int16Array(960 * 2 + 1))).toThrow(/samples/);
  });

  it("makes packets of one size, unless it may vary them, and of another when the rate changes", async () => {
    const shape = { sampleRate: 48_000, channels: 1 } as const;
    const sizes = async (encoder: OpusEncoder) =>
      new Set((await packetsOf(encoder, shape, 30)).map((packet) => packet.length));
    const constant = await opus.encoder({ ...shape, bitRate: 32_000 });
    expect(await sizes(constant)).toEqual(new Set([80]));
    constant.bitRate = 64_000;
    expect(await sizes(constant)).toEqual(new Set([160]));
    expect(constant.bitRate).toBe(64_000);
    const varying = await opus.encoder({ ...shape, bitRate: 32_000, variable: true });
    expect((await sizes(varying)).size).toBeGreaterThan(1);
  });

  it("decodes for one channel what was made with two, and the other way round, as it changes", async () => {
    const mono = await opus.encoder({ sampleRate: 48_000, channels: 1, bitRate: 32_000 });
    const stereo = await opus.encoder({ sampleRate: 16_000, channels: 2, bitRate: 32_000 });
    const [a, b] = [
      await packetsOf(mono, { sampleRate: 48_000, channels: 1 }, 60),
      await packetsOf(stereo, { sampleRate: 16_000, channels: 2 }, 60),
    ];
    const mixed = a.flatMap((packet, i) => (i % 2 ? [packet] : [b[i] ?? packet]));
    for (const channels of [1, 2] as const) {
      const decoder = await opus.decoder({ sampleRate: 48_000, channels });
      const heard = play(decoder, mixed);
      expect(heard.length).toBe(60 * 960 * channels);
      expect(dominantFrequency(channelOf(heard, 0, channels), 48_000)).toBeCloseTo(440, -1);
    }
  });

  it("fills the place of lost packets with what was heard before", async () => {
    const shape = { sampleRate: 48_000, channels: 1 } as const;
    const encoder = await opus.encoder({ ...shape, bitRate: 32_000 });
    const decoder = await opus.decoder(shape);
    const packets = await packetsOf(encoder, shape, 50);
    const heard = joined(packets.map((packet, i) => (i % 10 === 9 ? decoder.conceal(960) : decoder.decode(packet))));
    expect(heard.length).toBe(48_000);
    expect(dominantFrequency(heard, 48_000)).toBeCloseTo(440, -1);
    expect(longestGap(heard.subarray(4800), 48_000)).toBeLessThan(5);
    expect(decoder.conceal(120).length).toBe(120);
    expect(decoder.conceal(5760).length).toBe(5760);
    for (const samples of [0, -120, 100, 5880, 120.5]) expect(() => decoder.conceal(samples)).toThrow(ToxError);
  });

  it("recovers a lost packet from the next one better than it guesses", async () => {
    const shape = { sampleRate: 16_000, channels: 1 } as const;
    const encoder = await opus.encoder({ ...shape, bitRate: 32_000 });
    encoder.lossPercent = 30;
    expect(encoder.lossPercent).toBe(30);
    // a sound that begins where a packet is lost cannot be guessed
    const tone = toneSource(300, shape);
    const packets: Uint8Array[] = [];
    for (let i = 0; i < 20; i++) {
      const pcm = (await tone.read(320)) ?? new Int16Array(320);
      packets.push(encoder.encode(i < 10 ? new Int16Array(320) : pcm));
    }
    const hear = async (lost: (decoder: OpusDecoder, next: Uint8Array) => Int16Array) => {
      const decoder = await opus.decoder(shape);
      for (const packet of packets.slice(0, 10)) decoder.decode(packet);
      const pcm = lost(decoder, packets[11] ?? new Uint8Array());
      return pcm.reduce((sum, sample) => sum + sample ** 2, 0);
    };
    const whole = await hear((decoder) => decoder.decode(packets[10] ?? new Uint8Array()));
    const recovered = await hear((decoder, next) => decoder.recover(next, 320));
    const guessed = await hear((decoder) => decoder.conceal(320));
    expect(recovered).toBeGreaterThan(whole / 4);
    expect(guessed).toBeLessThan(recovered / 2);
  });

  it("conceals where the next packet says nothing of the one before, or is noise", async () => {
    const decoder = await opus.decoder({ sampleRate: 48_000, channels: 2 });
    for (const next of [new Uint8Array(), Uint8Array.of(0xff), new Uint8Array(5000).fill(0xff)]) {
      expect(decoder.recover(next, 960).length).toBe(1920);
    }
  });

  it("answers noise with sound or with nothing, and goes on", async () => {
    const random = new SeededRandom("opus noise");
    const shape = { sampleRate: 48_000, channels: 2 } as const;
    const decoder = await opus.decoder(shape);
    for (let i = 0; i < 3000; i++) {
      const size = new DataView(randomBytes(random, 2).buffer).getUint16(0) % (i % 50 === 0 ? 65_536 : 200);
      const pcm = decoder.decode(randomBytes(random, size));
      expect(pcm.length % 240).toBe(0);
      expect(pcm.length).toBeLessThanOrEqual(5760 * 2);
    }
    expect(decoder.decode(new Uint8Array(0)).length).toBe(0);
    const encoder = await opus.encoder({ ...shape, bitRate: 64_000 });
    const heard = play(decoder, await packetsOf(encoder, shape, 50));
    expect(toneToNoise(channelOf(heard, 0, 2), 48_000, 440)).toBeGreaterThan(15);
  });

  it("takes no more memory, however many coders come and go", async () => {
    const shape = { sampleRate: 48_000, channels: 2 } as const;
    const use = async (rounds: number) => {
      for (let i = 0; i < rounds; i++) {
        const [encoder, decoder] = [await opus.encoder({ ...shape, bitRate: 64_000 }), await opus.decoder(shape)];
        decoder.decode(encoder.encode(new Int16Array(1920)));
        encoder.close();
        decoder.close();
      }
      return process.memoryUsage().rss;
    };
    const before = await use(50);
    // each pair has 80 KiB: kept, they would be 80 MiB
    expect((await use(1000)) - before).toBeLessThan(40 << 20);
  });

  it("refuses what its options do not allow", async () => {
    const good = { sampleRate: 48_000, channels: 1, bitRate: 32_000 } as const;
    for (const wrong of [{ sampleRate: 44_100 }, { channels: 3 }, { bitRate: 0 }, { bitRate: 1e6 }, { bitRate: 0.5 }]) {
      await expect(opus.encoder({ ...good, ...wrong } as never), JSON.stringify(wrong)).rejects.toMatchObject({
        code: "invalid-argument",
      });
    }
    await expect(opus.decoder({ sampleRate: 11_025, channels: 1 } as never)).rejects.toThrow(ToxError);
    const encoder = await opus.encoder({ ...good, purpose: "music" });
    expect(() => {
      encoder.bitRate = Number.NaN;
    }).toThrow(ToxError);
    expect(() => {
      encoder.lossPercent = 101;
    }).toThrow(ToxError);
  });

  it("says that it was closed", async () => {
    const encoder = await opus.encoder({ sampleRate: 48_000, channels: 1, bitRate: 32_000 });
    const decoder = await opus.decoder({ sampleRate: 48_000, channels: 1 });
    for (const coder of [encoder, decoder, encoder, decoder]) coder.close();
    expect(() => encoder.encode(new Int16Array(960))).toThrow(/closed/);
    expect(() => decoder.decode(new Uint8Array(10))).toThrow(/closed/);
    expect(() => decoder.conceal(960)).toThrow(/closed/);
    expect(() => decoder.recover(new Uint8Array(10), 960)).toThrow(/closed/);
  });
});
