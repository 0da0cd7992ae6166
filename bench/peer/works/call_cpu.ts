import { median } from "../../support/statistics.ts";
import type { Bench, Row, Side, Work } from "../bench.ts";
import { type BenchPeer, befriend, startPair, startPeer } from "../peers.ts";
import type { Shown, Sound } from "../processes/call_orders.ts";
import { inTurn, type Measured, medians } from "../rounds.ts";

const CALLS = 10;
const START = { av: true, deaf: true };
const SETTLING = 1_000;
/** Not counted: our code is compiled meanwhile. */
const WARMING_UP = 6_000;
const FRAMES_PER_SECOND = 50;
const VIDEO: Omit<Shown, "pictures"> = { width: 1280, height: 720, frameRate: 30 };

type Peers = readonly BenchPeer[];
/** In % of a core. */
type Used = Readonly<Record<"bare" | "coded" | "sending" | "receiving" | "seen", number>>;
interface UsedByTen {
  readonly bare: number;
  readonly coded: number;
  /** Of the frames that the ten send in the time, those that came, in %. */
  readonly heard: number;
  readonly heardCoded: number;
}

/** Of libtoxav each figure has the codec in it, which cannot be left out; of ours only those that say so. */
export const callCpu: Work = {
  name: "callcpu",
  describes: "processor time of a call with sound, with a picture, and of ten calls at once",
  async measure(bench) {
    const rounds = bench.quick ? 1 : 3;
    const one = await oneCall(bench, rounds);
    const ten = await tenCalls(bench, rounds);
    const row = <T>(work: string, measured: Measured<T>, of: (used: T) => number, note?: string): Row => ({
      ...{ work, unit: "% of a core", ...medians(measured, of) },
      ...(note !== undefined && { note }),
    });
    const shares = <T>(measured: Measured<T>, of: (used: T) => number) =>
      bench.sides.map((side) => `${side} ${median(measured[side].map(of)).toFixed(1)} %`).join(", ");
    const video = "720p30 at 1.5 Mbit/s";
    return [
      row("audio call, no codec on our side: CPU", one, ({ bare }) => bare, "theirs has its codec in it in every row"),
      row("audio call, with Opus: CPU", one, ({ coded }) => coded),
      row(
        `${video}, no codec on our side: CPU of the sender`,
        one,
        ({ sending }) => sending,
        `frames that came: ${shares(one, ({ seen }) => seen)}`,
      ),
      row(`${video}, no codec on our side: CPU of the receiver`, one, ({ receiving }) => receiving),
      row(
        `${CALLS} audio calls at once on one core, no codec on our side: CPU`,
        ten,
        ({ bare }) => bare,
        `frames of the ten that came: ${shares(ten, ({ heard }) => heard)}`,
      ),
      row(
        `${CALLS} audio calls at once on one core, with Opus: CPU`,
        ten,
        ({ coded }) => coded,
        `frames of the ten that came: ${shares(ten, ({ heardCoded }) => heardCoded)}`,
      ),
    ];
  },
};

async function oneCall(bench: Bench, rounds: number): Promise<Measured<Used>> {
  await using pairs = new AsyncDisposableStack();
  const calls = new Map<Side, Peers>();
  const start = async (side: Side) => {
    const { alice, bob } = pairs.use(await startPair(bench, side, side, START));
    await bob.child.order("answerCalls", { video: true });
    await alice.child.order("call", { video: true });
    calls.set(side, [alice, bob]);
    await warmUp(bench, side, [alice, bob]);
  };
  await Promise.all(bench.sides.map(start));
  return await inTurn(bench, rounds, async (side) => {
    const peers = calls.get(side) ?? [];
    const [bare = 0] = await whileSpeaking(bench, peers, barest(side));
    const [coded = 0] = side === "ours" ? await whileSpeaking(bench, peers, "tone") : [bare];
    const [sender, receiver] = [peers.slice(0, 1), peers.slice(1)];
    await told(sender, (child) => child.order("show", { ...VIDEO, pictures: side === "ours" ? "frames" : "rich" }));
    await bench.pause(SETTLING);
    await told(receiver, (child) => child.order("beginCounting"));
    const [sending = 0, receiving = 0] = await used(bench, peers);
    const [counted] = await told(receiver, (child) => child.order("counted"));
    await told(sender, (child) => child.order("hide"));
    const { pictures = 0, firstAt = 0, lastAt = 0 } = counted ?? {};
    const seen = (100 * pictures * 1000) / (VIDEO.frameRate * (lastAt - firstAt));
    return { bare, coded, sending, receiving, seen };
  });
}

/** Ten friends call one, who has a core to himself. */
async function tenCalls(bench: Bench, rounds: number): Promise<Measured<UsedByTen>> {
  await using started = new AsyncDisposableStack();
  const calls = new Map<Side, Peers>();
  const start = async (side: Side) => {
    const called = started.use(await startPeer(bench, side, { start: START, core: 0 }));
    const callers = await Promise.all(
      Array.from({ length: CALLS }, () => startPeer(bench, side, { start: START, core: 1 })),
    );
    for (const caller of callers) started.use(caller);
    await Promise.all(callers.map((caller) => befriend({ alice: caller, bob: called })));
    await called.child.order("answerCalls", {});
    await told(callers, (child) => child.order("call", {}));
    calls.set(side, [called, ...callers]);
    await warmUp(bench, side, [called, ...callers]);
  };
  await Promise.all(bench.sides.map(start));
  return await inTurn(bench, rounds, async (side) => {
    const peers = calls.get(side) ?? [];
    const bare = await talkOfTen(bench, peers, barest(side));
    const coded = side === "ours" ? await talkOfTen(bench, peers, "tone") : bare;
    return { bare: bare.cpu, coded: coded.cpu, heard: bare.heard, heardCoded: coded.heard };
  });
}

/** CPU time of the one, in % of a core, and which part of what the others send he hears, in %. */
async function talkOfTen(bench: Bench, peers: Peers, sound: Sound): Promise<{ cpu: number; heard: number }> {
  const called = peers.slice(0, 1);
  await told(peers, (child) => child.order("speak", sound));
  await bench.pause(SETTLING);
  await told(called, (child) => child.order("beginCounting"));
  const [cpu = 0] = await used(bench, called);
  const [counted] = await told(called, (child) => child.order("counted"));
  await told(peers, (child) => child.order("hush"));
  const { frames = 0, firstAt = 0, lastAt = 0 } = counted ?? {};
  return { cpu, heard: (100 * frames * 1000) / (CALLS * FRAMES_PER_SECOND * (lastAt - firstAt)) };
}

/** Sound without a codec, where it can be had. */
function barest(side: Side): Sound {
  return side === "ours" ? "packets" : "tone";
}

async function warmUp(bench: Bench, side: Side, peers: Peers): Promise<void> {
  await told(peers, (child) => child.order("speak", barest(side)));
  if (side === "ours") await bench.pause(WARMING_UP);
  await told(peers, (child) => child.order("hush"));
}

async function whileSpeaking(bench: Bench, peers: Peers, sound: Sound): Promise<number[]> {
  await told(peers, (child) => child.order("speak", sound));
  await bench.pause(SETTLING);
  const percents = await used(bench, peers);
  await told(peers, (child) => child.order("hush"));
  return percents;
}

/** Of each, in % of a core. */
async function used(bench: Bench, peers: Peers): Promise<number[]> {
  const start = performance.now();
  const before = await told(peers, (child) => child.order("usage"));
  await bench.pause(bench.quick ? 3_000 : 5_000);
  const after = await told(peers, (child) => child.order("usage"));
  const seconds = (performance.now() - start) / 1000;
  return after.map(({ cpuSeconds }, i) => (100 * (cpuSeconds - (before[i]?.cpuSeconds ?? 0))) / seconds);
}

function told<R>(peers: Peers, order: (child: BenchPeer["child"]) => Promise<R>): Promise<R[]> {
  return Promise.all(peers.map(({ child }) => order(child)));
}
