/**
 * V8 puts counters only into what it compiles after counting began, and it compiles at the first call. So everything that runs
 * for each input, and is not what is under test, runs a little before: that makes counting cost half as much.
 */
import { codec, family } from "../codec.ts";
import { runCampaign } from "./campaign.ts";

const toy = family(
  codec<{ readonly bytes: Uint8Array }>({
    name: "toy",
    samples: [{ bytes: Uint8Array.from({ length: 100 }, (_, i) => i) }, { bytes: new TextEncoder().encode('{"a":1}') }],
    encode: (into, { bytes }) => {
      into.set(bytes);
      return bytes.length;
    },
    decode: (bytes, drop) => (bytes.length > 200 ? drop("oversized") : { bytes: bytes.slice() }),
    bounds: () => undefined,
    canonical: (bytes) => bytes,
  }),
);

export async function warmUp(): Promise<void> {
  await runCampaign(toy, { seed: "warm", runs: 3_000, onInput: () => undefined });
}
