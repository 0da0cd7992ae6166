import type { Bench, Side, Work } from "../bench.ts";
import { type Network, startNetwork } from "../network.ts";
import { startTwo } from "../peers.ts";
import { now } from "../processes/orders.ts";
import type { StartOptions } from "../processes/peer.ts";
import { inTurn, medians } from "../rounds.ts";
import { settled } from "../settled.ts";

export const NODES = 8;
export const LONGEST_SETTLING = 30;
/** How many of the nodes a newcomer is told. */
const KNOWN = 2;

export const onionRequest: Work = {
  name: "onion",
  describes: "into a network of eight nodes, and from a friend request by Tox ID until both are online",
  waits: true,
  async measure(bench) {
    const acquainted: number[] = [];
    const measured = await inTurn(bench, bench.quick ? 1 : 3, async (side) => {
      // a fresh one each time: nodes go on naming those who have left
      await using network = await startNetwork(bench, NODES);
      acquainted.push(await settled(bench, network.addresses, LONGEST_SETTLING));
      return await meetThrough(bench, side, network);
    });
    return [
      {
        ...{ work: "start to connected, 8-node network", unit: "ms" },
        ...medians(measured, ({ connected }) => connected),
        note: describe(bench, Math.min(...acquainted)),
      },
      {
        ...{ work: "friend request by Tox ID to both online, 8-node network", unit: "ms" },
        ...medians(measured, ({ online }) => online),
      },
    ];
  },
};

function describe({ hasBootstrapd }: Bench, acquainted: number): string {
  const kind = `the eight are ${hasBootstrapd ? "tox-bootstrapd" : "nodes of ours"} for both sides`;
  return acquainted === 1 ? kind : `${kind}; at worst they knew ${Math.round(100 * acquainted)} % of one another`;
}

/** From the start until both are in the network, and from the request until both are online, in ms. */
export async function meetThrough(bench: Bench, side: Side, { addresses }: Network, start: StartOptions = {}) {
  await using pair = await startTwo(bench, side, start);
  const { alice, bob } = pair;
  const known = addresses.slice(0, KNOWN);
  const connect = async ({ child, info }: typeof alice) => {
    await child.order("bootstrap", known);
    if (start.udp === false) await child.order("addRelays", known);
    return (await child.order("connectedAt")) - info.startedAt;
  };
  const connected = Math.max(...(await Promise.all([connect(alice), connect(bob)])));
  await bob.child.order("acceptRequests");
  const asked = now();
  await alice.child.order("addFriend", { toxId: bob.info.toxId, message: "Hello" });
  const online = await Promise.all([alice.child.order("friendOnlineAt"), bob.child.order("friendOnlineAt")]);
  return { connected, online: Math.max(...online) - asked };
}
