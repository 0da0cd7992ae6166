import { randomBytes } from "node:crypto";
import { median } from "../../support/statistics.ts";
import type { Bench, Work } from "../bench.ts";
import type { LoopOrders } from "../processes/bare_loop.ts";
import { Child } from "../processes/child.ts";

const PAYLOAD = 1_373;
/** A multiple of the packets that one acknowledgement covers. */
const PACKETS = { quick: 32 * 1_000, full: 32 * 3_000 };

export const bareLoop: Work = {
  name: "loop",
  describes: "the same boxes over the same sockets without any protocol: what bounds us",
  async measure(bench) {
    await using sender = await openChild(bench);
    await using receiver = await openChild(bench);
    const ports = await Promise.all([sender.order("open"), receiver.order("open")]);
    await Promise.all([sender.order("connect", ports[1]), receiver.order("connect", ports[0])]);
    const key = randomBytes(32);
    const packets = bench.quick ? PACKETS.quick : PACKETS.full;
    const rates: number[] = [];
    for (let round = 0; round < (bench.quick ? 3 : 7); round++) {
      await receiver.order("receive", key);
      rates.push((packets * PAYLOAD) / 2 ** 20 / (await sender.order("send", { key, packets })));
    }
    return [
      {
        ...{ work: "bare loop: box, datagram, acknowledgement", unit: "MiB/s", ours: median(rates), theirs: null },
        note: "no protocol at all: the limit that any file transfer of ours has on this machine",
      },
    ];
  },
};

function openChild(bench: Bench): Promise<Child<LoopOrders>> {
  return bench.start(() => new Child<LoopOrders>("bare_loop.ts"));
}
