import type { Work } from "../bench.ts";
import { type NodeKind, startNetworkOf } from "../network.ts";
import { inTurn, medians } from "../rounds.ts";
import { settled } from "../settled.ts";
import { LONGEST_SETTLING, meetThrough, NODES } from "./onion_request.ts";

export const tcpOnly: Work = {
  name: "tcp",
  describes: "the same between two who have no UDP, over the nodes' TCP relays",
  waits: true,
  async measure(bench) {
    const rows = [];
    for (const kind of ["tox-bootstrapd", "toxcore-ts"] satisfies NodeKind[]) {
      if (kind === "tox-bootstrapd" && !bench.hasBootstrapd) continue;
      const measured = await inTurn(bench, bench.quick ? 1 : 3, async (side) => {
        await using network = await startNetworkOf(bench, kind, NODES, { relay: true });
        await settled(bench, network.addresses, LONGEST_SETTLING);
        return await meetThrough(bench, side, network, { udp: false });
      });
      const nodes = kind === "toxcore-ts" ? "nodes of ours" : kind;
      rows.push(
        {
          ...{ work: `without UDP: start to connected, 8 ${nodes}`, unit: "ms" },
          ...medians(measured, ({ connected }) => connected),
        },
        {
          ...{ work: `without UDP: friend request by Tox ID to both online, 8 ${nodes}`, unit: "ms" },
          ...medians(measured, ({ online }) => online),
        },
      );
    }
    return rows;
  },
};
