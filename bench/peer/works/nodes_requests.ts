import { availableParallelism } from "node:os";
import { median } from "../../support/statistics.ts";
import type { Bench, Row, Work } from "../bench.ts";
import { type Node, startNetwork, startNode } from "../network.ts";
import { cpuSeconds } from "../process_cpu.ts";
import { Child, canPin } from "../processes/child.ts";
import type { LoadOrders } from "../processes/load_generator.ts";

const NODE_CORE = 0;
const LOAD_CORE = 1;
/** Nodes that the loaded one knows, so that it has something to answer. */
const NEIGHBOURS = 8;
const SENDERS = [16, 20_000];

interface Measured {
  readonly perSecond: number;
  readonly perCpuSecond: number;
  /** Shares of a core. */
  readonly nodeBusy: number;
  readonly loadBusy: number;
}

export const nodesRequests: Work = {
  name: "nodes",
  describes: "nodes requests that one node answers a second, from 16 and from 20,000 senders",
  async measure(bench) {
    await using neighbours = await startNetwork(bench, NEIGHBOURS, { core: LOAD_CORE });
    await using ours = await startNode(bench, "toxcore-ts", neighbours.addresses, { core: NODE_CORE });
    await using theirs = bench.hasBootstrapd
      ? await startNode(bench, "tox-bootstrapd", neighbours.addresses, { core: NODE_CORE })
      : undefined;
    await bench.pause(bench.quick ? 2_000 : 5_000); // until they know their neighbours
    const rows: Row[] = [];
    for (const senders of SENDERS) rows.push(...(await underLoad(bench, senders, ours, theirs)));
    return rows;
  },
};

/** Round by round in turn. */
async function underLoad(bench: Bench, senders: number, ours: Node, theirs: Node | undefined): Promise<Row[]> {
  await using ourLoad = await prepareLoad(bench, ours, senders);
  await using theirLoad = theirs && (await prepareLoad(bench, theirs, senders));
  const measured: { ours: Measured[]; theirs: Measured[] } = { ours: [], theirs: [] };
  for (let round = 0; round < (bench.quick ? 1 : 3); round++) {
    measured.ours.push(await run(bench, ourLoad, ours.pid));
    if (theirLoad && theirs) measured.theirs.push(await run(bench, theirLoad, theirs.pid));
  }
  const both = (field: keyof Measured) => ({
    ours: median(measured.ours.map((one) => one[field])),
    theirs: theirs === undefined ? null : median(measured.theirs.map((one) => one[field])),
  });
  const pinned = canPin() && availableParallelism() > 1 ? "each on a core of its own" : "on the same cores";
  const from = `${senders.toLocaleString("en-US")} senders`;
  return [
    {
      ...{ work: `nodes requests answered, ${from}`, unit: "/s", ...both("perSecond") },
      note: `of a core the node used ${percents(both("nodeBusy"))}, the load ${percents(both("loadBusy"))}; ${pinned}`,
    },
    { work: `nodes requests answered, ${from}, by CPU time`, unit: "/CPU s", ...both("perCpuSecond") },
  ];
}

function percents({ ours, theirs }: { readonly ours: number; readonly theirs: number | null }): string {
  const percent = (share: number) => `${Math.round(100 * share)} %`;
  return theirs === null ? percent(ours) : `${percent(ours)} (theirs ${percent(theirs)})`;
}

async function prepareLoad(bench: Bench, node: Node, senders: number): Promise<Child<LoadOrders>> {
  const load = await bench.start(() => new Child<LoadOrders>("load_generator.ts", { core: LOAD_CORE }));
  await load.order("prepare", { node: node.address, senders });
  return load;
}

async function run(bench: Bench, load: Child<LoadOrders>, pid: number): Promise<Measured> {
  await load.order("start");
  await bench.pause(bench.quick ? 500 : 1_500);
  const before = await count(load, pid);
  await bench.pause(bench.quick ? 1_500 : 5_000);
  const after = await count(load, pid);
  await load.order("stop");
  const answered = after.answered - before.answered;
  const seconds = (after.at - before.at) / 1000;
  const node = after.node - before.node;
  if (after.opened === before.opened) throw new Error("the node did not answer what it was asked");
  if (after.wrong - before.wrong > answered / 100) throw new Error(`${after.wrong - before.wrong} answers were none`);
  return {
    perSecond: answered / seconds,
    perCpuSecond: answered / node,
    nodeBusy: node / seconds,
    loadBusy: (after.load - before.load) / seconds,
  };
}

async function count(load: Child<LoadOrders>, pid: number) {
  return { ...(await load.order("count")), node: cpuSeconds(pid), load: cpuSeconds(load.pid) };
}
