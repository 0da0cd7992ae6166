/** Pictures from a stranger: frames with their lengths before them. A few bytes can ask for the largest picture that we take. */
import { LibavVp8Decoder, LibavVp8Encoder, loadLibav } from "../../src/node/codecs/libav_vp8.ts";
import { testPicture } from "../../src/node/media/index.ts";
import { atMost, broken } from "../codec.ts";
import { packed, unpacked } from "../support/pieces.ts";

const MAX_FRAMES = 4;
const av = await loadLibav();

export function fuzz(data: Uint8Array): void {
  const decoder = new LibavVp8Decoder(av);
  try {
    for (const frame of unpacked(data).slice(0, MAX_FRAMES)) {
      const picture = decoder.decode(frame);
      if (picture === undefined) continue;
      const { width, height, y, u, v } = picture;
      atMost(9_437_184, width * height, "pixels");
      const chroma = Math.ceil(width / 2) * Math.ceil(height / 2);
      if (y.length !== width * height || u.length !== chroma || v.length !== chroma) broken("planes do not fit", data);
    }
  } finally {
    decoder.close();
  }
  atMost(256 << 20, av.HEAPU8.length, "bytes of memory");
}

const samples: Uint8Array[] = [];
for (const [width, height] of [
  [64, 48],
  [34, 18],
  [176, 144],
] as const) {
  const encoder = new LibavVp8Encoder(av, 30);
  const source = testPicture({ width, height });
  const frames: Uint8Array[] = [];
  for (let i = 0; i < MAX_FRAMES; i++) {
    const picture = await source.read();
    const frame = picture && encoder.encode(picture, 500_000, false);
    if (frame) frames.push(frame.data);
  }
  encoder.close();
  samples.push(packed(frames));
}

export const corpus = (): Iterable<Uint8Array> => samples;
export const limitMs = 3000;
