import { NOTE_COUNT } from "../../../test/interop/peer/scale.ts";
import { median } from "../../support/statistics.ts";
import type { Bench, Row, Work } from "../bench.ts";
import { type DistantPair, startDistantPair } from "../peers.ts";
import type { Counted, Sound } from "../processes/call_orders.ts";
import { compared, type OneWay, pairsOf, type Sides } from "../ways.ts";

const LOSSES = [0, 0.05, 0.1];
/** How far back sound can be that is heard now, in ms. */
const LAST_SOUND = 1_000;
/** Until jitter buffers and bit rates know the way, in ms. */
const SETTLING = 4_000;

interface Direction extends OneWay {
  readonly sentAt: readonly (number | null)[];
  readonly counted: Counted;
}

/** All at once, for each takes a few hundredths of a core: so they have the same weather. */
export const callSound: Work = {
  name: "callsound",
  describes: "sound in a call over a way that loses packets: what is heard, how late, and the longest gap",
  async measure(bench) {
    await using pairs = new AsyncDisposableStack();
    const started = pairsOf(bench).map(async (sides) => ({ sides, pair: pairs.use(await startCall(bench, sides)) }));
    const calls = await Promise.all(started);
    const rows: Row[] = [];
    for (const loss of LOSSES) {
      const directions = (await Promise.all(calls.map((one) => talk(bench, one, loss, "notes")))).flat();
      const at = `at ${100 * loss} % loss`;
      rows.push(
        ...compared(`sound recognised ${at}`, "% of frames", directions, shareHeard, details),
        ...compared(`sound that came or was recovered ${at}`, "% of frames", directions, shareDelivered),
      );
      if (loss === 0)
        rows.push(...compared("sound, from mouth to ear", "ms", directions, (one) => median(delays(one)), spread));
    }
    const tones = (await Promise.all(calls.map((one) => talk(bench, one, 0.1, "tone")))).flat();
    rows.push(
      ...compared("a tone at 10 % loss: longest silence in it", "ms", tones, ({ counted }) => counted.longestSilenceMs),
      ...compared(
        "a tone at 10 % loss: longest time without a frame",
        "ms",
        tones,
        ({ counted }) => counted.longestGapMs,
      ),
    );
    const ours = calls.filter(({ sides: [one, other] }) => one === "ours" && other === "ours");
    const bare = (await Promise.all(ours.map((one) => talk(bench, one, 0, "packets")))).flat();
    rows.push(
      ...compared(
        "sound, from send to frame, no codec",
        "ms",
        bare,
        ({ counted }) => median(counted.delays),
        ({ counted }) => percentiles(counted.delays),
      ),
    );
    return rows;
  },
};

async function startCall(bench: Bench, [one, other]: Sides): Promise<DistantPair> {
  const pair = await startDistantPair(bench, one, other, { av: true });
  await pair.bob.child.order("answerCalls", {});
  await pair.alice.child.order("call", {});
  return pair;
}

/** Both speak for a while; what each heard of the other. */
async function talk(
  bench: Bench,
  { sides: [one, other], pair }: { readonly sides: Sides; readonly pair: DistantPair },
  loss: number,
  sound: Sound,
): Promise<Direction[]> {
  const { alice, bob, way } = pair;
  const both = [alice.child, bob.child];
  await way.order("lose", loss);
  await Promise.all(both.map((child) => child.order("speak", sound)));
  await bench.pause(SETTLING);
  await Promise.all(both.map((child) => child.order("beginCounting")));
  await bench.pause(bench.quick ? 10_000 : 30_000);
  const heard = await Promise.all(both.map((child) => child.order("counted")));
  const sent = await Promise.all(both.map((child) => child.order("hush")));
  await way.order("lose", 0);
  await bench.pause(LAST_SOUND);
  const [byAlice, byBob] = heard as [Counted, Counted];
  const [ofAlice, ofBob] = sent as [(number | null)[], (number | null)[]];
  return [
    { name: `${one} to ${other}`, sentAt: ofAlice, counted: byBob },
    { name: `${other} to ${one}`, sentAt: ofBob, counted: byAlice },
  ];
}

/** Frames that were sent and could be heard in the time in which was counted. */
function shareHeard({ sentAt, counted: { notes } }: Direction): number {
  const [first, last] = [notes[0]?.at ?? 0, notes.at(-1)?.at ?? 0];
  const sent = sentAt.filter((at) => at !== null && at >= first && at <= last).length;
  return (100 * notes.length) / Math.max(1, sent);
}

/** In time, itself or in the packet behind it. libtoxav does not say. */
function shareDelivered({ sentAt, counted: { frames, recovered, firstAt, lastAt } }: Direction): number | null {
  if (recovered === null) return null;
  const sent = sentAt.filter((at) => at !== null && at >= firstAt && at <= lastAt).length;
  return Math.min(100, (100 * (frames + recovered)) / Math.max(1, sent));
}

function details({ counted }: Direction): string {
  const { frames, concealed, recovered, longestGapMs } = counted;
  const made = concealed === null ? "" : `, ${concealed} concealed, ${recovered} of them from the packet behind`;
  return `${frames} frames${made}, longest time without one ${Math.round(longestGapMs)} ms`;
}

/** Which frame it was is known but for a multiple of the scale's length, which is longer than sound takes. */
function delays({ sentAt, counted: { notes } }: Direction): number[] {
  const found: number[] = [];
  let from = 0;
  for (const { note, at } of notes) {
    while (from < sentAt.length && (sentAt[from] ?? 0) < at - NOTE_COUNT * 20) from++;
    for (let frame = from; frame < sentAt.length && (sentAt[frame] ?? 0) <= at; frame++) {
      const sent = sentAt[frame];
      if (frame % NOTE_COUNT === note && sent !== null && sent !== undefined) {
        found.push(at - sent);
        break;
      }
    }
  }
  return found;
}

const spread = (direction: Direction) => percentiles(delays(direction));

function percentiles(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
  return `5 in 100 take longer than ${at(0.95)} ms, 1 than ${at(0.99)}`;
}
