import { spawnSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import type { Bench, Row, Side, Work } from "../bench.ts";
import { Child } from "../processes/child.ts";
import type { Cost, OfflineWorldOrders } from "../processes/offline_world.ts";

const NODES = 12;
const FRIENDS = 200;
const LONGEST_RETURN = 120_000;

interface Waited extends Cost {
  /** In ms; none when it took too long. */
  readonly returned: number | null;
}

export const offlineFriends: Work = {
  name: "offline",
  describes: `waiting for ${FRIENDS} friends who are not there, in a network of ${NODES} nodes, until one comes`,
  waits: true,
  async measure(bench) {
    const within = ownNamespace();
    if (within === undefined) {
      return skipped("neither root nor user namespaces: an instance's datagrams cannot be told from the others'");
    }
    // both at once, as each waits most of the time
    const [ours, theirs] = await Promise.all(bench.sides.map((side) => waitFor(bench, side, within)));
    const row = (work: string, unit: string, figureOf: (waited: Waited) => number | null): Row => ({
      work: `${FRIENDS} offline friends: ${work}`,
      unit,
      ours: ours === undefined ? null : figureOf(ours),
      theirs: theirs === undefined ? null : figureOf(theirs),
    });
    return [
      row("CPU", "% of a core", ({ cpu }) => 100 * cpu),
      row("datagrams sent", "/s", ({ sent }) => sent),
      row("datagrams received", "/s", ({ received }) => received),
      row("one comes, until both see it", "ms", ({ returned }) => returned),
    ];
  },
};

async function waitFor(bench: Bench, side: Side, within: readonly string[]): Promise<Waited> {
  await using world = bench.hold(new Child<OfflineWorldOrders>("offline_world.ts", { within }));
  await world.order("open", NODES);
  await delay(bench.quick ? 2_000 : 10_000);
  await world.order("wait", { side, friends: FRIENDS });
  await delay(bench.quick ? 32_000 : 60_000); // both search faster at first
  const cost = await world.order("measure", bench.quick ? 8 : 60);
  const tooLong = delay(LONGEST_RETURN, null, { ref: false });
  return { ...cost, returned: await Promise.race([world.order("comeBack"), tooLong]) };
}

/** How to run a program in a network namespace of its own here. */
function ownNamespace(): string[] | undefined {
  return [
    ["unshare", "--net"],
    ["unshare", "--map-root-user", "--net"],
  ].find(([command = "", ...args]) => spawnSync(command, [...args, "ip", "link", "set", "lo", "up"]).status === 0);
}

function skipped(note: string): Row[] {
  return [{ work: `${FRIENDS} offline friends`, unit: "datagrams/s", ours: null, theirs: null, note }];
}
