import type { Bench, Row, Work } from "../bench.ts";
import { type DistantPair, startDistantPair } from "../peers.ts";
import type { Counted, Shown } from "../processes/call_orders.ts";
import { compared, type OneWay, pairsOf, type Sides } from "../ways.ts";

const LOSSES = [0, 0.05, 0.1];
/** Small, so that no codec is short of time. */
const PICTURES: Shown = { pictures: "rich", width: 320, height: 240, frameRate: 30 };
/** Until bit rates know the way, in ms. */
const SETTLING = 3_000;
/** How far back a picture can be that is seen now, in ms. */
const LAST_PICTURE = 1_000;

interface Seen extends OneWay {
  readonly sentAt: readonly (number | null)[];
  readonly counted: Counted;
  /** In the time in which was counted, both ways. */
  readonly datagramsPerSecond: number;
}

interface VideoCall {
  readonly sides: Sides;
  readonly pair: DistantPair;
}

/** All at once, so that they have the same weather. */
export const callVideo: Work = {
  name: "callvideo",
  describes: "30 pictures a second at 1.5 Mbit/s over a way that loses packets: what is seen, and the longest gap",
  async measure(bench) {
    await using pairs = new AsyncDisposableStack();
    const calls = await Promise.all(
      pairsOf(bench).map(async (sides) => ({ sides, pair: pairs.use(await startCall(bench, sides)) })),
    );
    const rows: Row[] = [];
    for (const loss of LOSSES) {
      const seen = (await Promise.all(calls.map((one) => show(bench, one, loss)))).flat();
      const at = `at ${100 * loss} % loss`;
      rows.push(
        ...compared(`video seen ${at}`, "% of frames", seen, shareSeen, details),
        ...compared(
          `video ${at}: longest time without a frame`,
          "ms",
          seen,
          ({ counted: { pictureGapMs } }) => pictureGapMs,
        ),
      );
    }
    return rows;
  },
};

async function startCall(bench: Bench, [one, other]: Sides): Promise<DistantPair> {
  const pair = await startDistantPair(bench, one, other, { av: true });
  await pair.bob.child.order("answerCalls", { video: true });
  await pair.alice.child.order("call", { video: true });
  return pair;
}

/** One shows pictures for a while; where the other is of the other side, he too. */
async function show(bench: Bench, { sides: [one, other], pair }: VideoCall, loss: number): Promise<Seen[]> {
  const { way } = pair;
  const [alice, bob] = [pair.alice.child, pair.bob.child];
  const showing = one === other ? [alice] : [alice, bob];
  const shown: Shown = one === "ours" && other === "ours" ? { ...PICTURES, pictures: "frames" } : PICTURES;
  await way.order("lose", loss);
  await Promise.all(showing.map((child) => child.order("show", shown)));
  await bench.pause(SETTLING);
  await Promise.all([alice, bob].map((child) => child.order("beginCounting")));
  const before = await way.order("counts");
  await bench.pause(bench.quick ? 10_000 : 20_000);
  const after = await way.order("counts");
  const [byAlice, byBob] = await Promise.all([alice.order("counted"), bob.order("counted")]);
  const [ofAlice = [], ofBob = []] = await Promise.all(showing.map((child) => child.order("hide")));
  await way.order("lose", 0);
  await bench.pause(LAST_PICTURE);
  const seconds = (byBob.lastAt - byBob.firstAt) / 1000;
  const datagramsPerSecond = (after.passed + after.lost - before.passed - before.lost) / seconds;
  const toBob = { name: `${one} to ${other}`, sentAt: ofAlice, counted: byBob, datagramsPerSecond };
  if (one === other) return [toBob];
  return [toBob, { name: `${other} to ${one}`, sentAt: ofBob, counted: byAlice, datagramsPerSecond }];
}

/** Of as many as were sent in the time in which was counted. */
function shareSeen({ sentAt, counted: { firstAt, lastAt, pictures } }: Seen): number {
  const sent = sentAt.filter((at) => at !== null && at >= firstAt && at <= lastAt).length;
  return Math.min(100, (100 * pictures) / Math.max(1, sent));
}

function details({ counted: { pictures, damaged }, datagramsPerSecond }: Seen): string {
  const wrong = damaged === null ? "" : `, ${damaged} of them perhaps damaged`;
  return `${pictures} frames${wrong}, ${Math.round(datagramsPerSecond)} datagrams a second`;
}
