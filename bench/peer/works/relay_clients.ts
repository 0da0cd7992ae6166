import { median } from "../../support/statistics.ts";
import type { Bench, Row, Side, Work } from "../bench.ts";
import { type Node, type NodeKind, startNode } from "../network.ts";
import { cpuSeconds, residentBytes } from "../process_cpu.ts";
import { Child } from "../processes/child.ts";
import { now } from "../processes/orders.ts";
import type { RelayClientsOrders } from "../processes/relay_clients.ts";

const NODE_CORE = 0;
const LOAD_CORE = 1;
const CLIENTS = 1_000;
const KINDS = { ours: "toxcore-ts", theirs: "tox-bootstrapd" } as const satisfies Record<Side, NodeKind>;

interface Subject {
  readonly side: Side;
  readonly node: Node;
  readonly load: Child<RelayClientsOrders>;
}

export const relayClients: Work = {
  name: "relay",
  describes: "a node with 1,000 clients of its relay: idle, and each sending 1 KiB a second",
  async measure(bench) {
    const subjects: Subject[] = [];
    try {
      for (const side of bench.hasBootstrapd ? (["ours", "theirs"] as const) : (["ours"] as const)) {
        const node = await startNode(bench, KINDS[side], [], { core: NODE_CORE, relay: true });
        const load = await bench.start(() => new Child<RelayClientsOrders>("relay_clients.ts", { core: LOAD_CORE }));
        subjects.push({ side, node, load });
        await load.order("connect", { node: node.address, clients: CLIENTS });
      }
      return [...(await idle(bench, subjects)), ...(await busy(bench, subjects))];
    } finally {
      await Promise.all(subjects.flatMap(({ node, load }) => [load.close(), node[Symbol.asyncDispose]()]));
    }
  },
};

/** At the same time, over a whole interval of pings: they do not get into each other's way. */
async function idle(bench: Bench, subjects: readonly Subject[]): Promise<Row[]> {
  await bench.pause(bench.quick ? 1_000 : 5_000);
  const shares = await Promise.all(subjects.map(({ node }) => busyShare(bench, node, bench.quick ? 30_000 : 60_000)));
  const memory = subjects.map(({ node }) => residentBytes(node.pid) / 2 ** 20);
  const clients = "node with 1,000 idle relay clients";
  return [
    { work: `${clients}: CPU`, unit: "% of a core", ours: percent(shares[0]), theirs: percent(shares[1]) },
    { work: `${clients}: memory`, unit: "MiB", ours: memory[0] ?? null, theirs: memory[1] ?? null },
  ];
}

async function busy(bench: Bench, subjects: readonly Subject[]): Promise<Row[]> {
  const shares = new Map<Side, number[]>();
  const lost = new Map<Side, number>();
  const counted = new Map<Side, number>();
  for (let round = 0; round < (bench.quick ? 1 : 3); round++) {
    for (const { side, node, load } of subjects) {
      const before = await load.order("count");
      await load.order("send", 1);
      await bench.pause(2_000);
      const share = await busyShare(bench, node, bench.quick ? 5_000 : 10_000);
      await load.order("send", 0);
      await bench.pause(1_000); // until the last have come
      const after = await load.order("count");
      if (after.ended > 0) throw new Error(`${side}: the relay ended ${after.ended} connections`);
      const sent = after.sent - before.sent + after.refused - before.refused;
      shares.set(side, [...(shares.get(side) ?? []), share]);
      lost.set(side, (lost.get(side) ?? 0) + sent - (after.received - before.received));
      counted.set(side, (counted.get(side) ?? 0) + sent);
    }
  }
  const cpu = (side: Side) => percent(shares.has(side) ? median(shares.get(side) ?? []) : undefined);
  const clients = "node with 1,000 relay clients, 1 KiB/s each";
  return [
    { work: `${clients}: CPU`, unit: "% of a core", ours: cpu("ours"), theirs: cpu("theirs") },
    {
      ...{ work: `${clients}: packets lost`, unit: "packets" },
      ...{ ours: lost.get("ours") ?? null, theirs: lost.get("theirs") ?? null },
      note: `of ${counted.get("ours") ?? 0} (theirs ${counted.get("theirs") ?? 0})`,
    },
  ];
}

async function busyShare(bench: Bench, { pid }: Node, milliseconds: number): Promise<number> {
  const [before, start] = [cpuSeconds(pid), now()];
  await bench.pause(milliseconds);
  return (cpuSeconds(pid) - before) / ((now() - start) / 1000);
}

function percent(share: number | undefined): number | null {
  return share === undefined ? null : 100 * share;
}
