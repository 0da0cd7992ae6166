import { median } from "../../support/statistics.ts";
import type { Bench, Row, Side, Work } from "../bench.ts";
import { type Pair, startPair } from "../peers.ts";
import type { Counted, Sound } from "../processes/call_orders.ts";

const MEBIBYTE = 2 ** 20;

interface Talk {
  readonly counted: Counted;
  readonly sent: number;
  /** Of the file, where there was one. */
  readonly rate: number | null;
}

export const callFile: Work = {
  name: "callfile",
  describes: "a call while a file goes the same way, and both alone",
  async measure(bench) {
    const size = (bench.quick ? 64 : 200) * MEBIBYTE;
    const figures: Record<Side, Figures | undefined> = { ours: undefined, theirs: undefined };
    for (const side of bench.sides) figures[side] = await figuresOf(bench, side, size);
    const row = (work: string, unit: string, of: (one: Figures) => number): Row => {
      const { ours, theirs } = figures;
      return { work, unit, ours: ours ? of(ours) : null, theirs: theirs ? of(theirs) : null };
    };
    const file = `${size / MEBIBYTE} MiB file`;
    return [
      row(`call beside a ${file}: frames of sound heard`, "% of frames", ({ beside }) => share(beside)),
      row("call alone: frames of sound heard", "% of frames", ({ alone }) => share(alone)),
      row(`call beside a ${file}: longest time without a frame`, "ms", ({ beside }) => longest(beside)),
      row("call alone: longest time without a frame", "ms", ({ alone }) => longest(alone)),
      {
        ...row(`${file} beside a call`, "MiB/s", ({ beside }) => median(beside.map(({ rate }) => rate ?? 0))),
        note: figures.ours === undefined ? "" : delaysOf(figures.ours),
      },
      row(`${file} alone`, "MiB/s", ({ file: rates }) => median(rates)),
    ];
  },
};

interface Figures {
  readonly beside: readonly Talk[];
  readonly alone: readonly Talk[];
  readonly file: readonly number[];
}

async function figuresOf(bench: Bench, side: Side, size: number): Promise<Figures> {
  await using pair = await startPair(bench, side, side, { av: true });
  const { alice, bob } = pair;
  await bob.child.order("acceptFiles");
  await bob.child.order("answerCalls", {});
  await alice.child.order("sendFile", 32 * MEBIBYTE);
  const sound = side === "ours" ? "packets" : "notes";
  const [beside, alone, file]: [Talk[], Talk[], number[]] = [[], [], []];
  for (let round = 0; round < (bench.quick ? 2 : 5); round++) {
    file.push(size / MEBIBYTE / (await alice.child.order("sendFile", size)));
    await alice.child.order("call", {});
    beside.push(await talk(bench, pair, sound, size));
    alone.push(await talk(bench, pair, sound, undefined));
    await alice.child.order("hangUp");
    await bob.child.order("hangUp");
  }
  return { beside, alone, file };
}

async function talk(bench: Bench, { alice, bob }: Pair, sound: Sound, size: number | undefined): Promise<Talk> {
  await alice.child.order("speak", sound);
  await bench.pause(1_000);
  await bob.child.order("beginCounting");
  const seconds = size === undefined ? undefined : await alice.child.order("sendFile", size);
  if (seconds === undefined) await bench.pause(5_000);
  const counted = await bob.child.order("counted");
  const sentAt = await alice.child.order("hush");
  const [first, last] = [counted.firstAt, counted.lastAt];
  await bench.pause(500);
  return {
    counted,
    sent: sentAt.filter((at) => at !== null && at >= first && at <= last).length,
    rate: size === undefined || seconds === undefined ? null : size / MEBIBYTE / seconds,
  };
}

function share(talks: readonly Talk[]): number {
  const heard = talks.reduce(
    (sum, { counted: { frames, notes } }) => sum + (notes.length > 0 ? notes.length : frames),
    0,
  );
  const sent = talks.reduce((sum, one) => sum + one.sent, 0);
  return (100 * heard) / Math.max(1, sent);
}

function longest(talks: readonly Talk[]): number {
  return median(talks.map(({ counted }) => counted.longestGapMs));
}

function delaysOf({ beside, alone }: Figures): string {
  const told = (talks: readonly Talk[]) => {
    const sorted = talks.flatMap(({ counted }) => counted.delays).sort((a, b) => a - b);
    const at = (part: number) => Math.round(sorted[Math.floor(part * (sorted.length - 1))] ?? 0);
    const concealed = talks.reduce((sum, { counted }) => sum + (counted.concealed ?? 0), 0);
    return `${at(0.5)} ms (1 in 100 ${at(0.99)} ms), ${concealed} of ${sorted.length} concealed`;
  };
  return `ours, from send to frame: beside the file ${told(beside)}; alone ${told(alone)}`;
}
