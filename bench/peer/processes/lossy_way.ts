/** A way between two peers on loopback that loses a share of their datagrams, at random. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { NodeAddress } from "./node_address.ts";
import { serve } from "./orders.ts";

export type LossyWayOrders = typeof orders;

const HOST = "127.0.0.1";
const KERNEL_BUFFER = 4 << 20;

let loss = 0;
let random = 1;
const counts = { passed: 0, lost: 0 };
const sockets: Socket[] = []; // two

const orders = {
  /** Answers at which ports each is reached from then on by the other. */
  async open({ alice, bob }: { readonly alice: NodeAddress; readonly bob: NodeAddress }) {
    const [atAlice, atBob] = [createSocket("udp4"), createSocket("udp4")];
    sockets.push(atAlice, atBob);
    for (const socket of sockets) {
      socket.bind(0, HOST);
      await once(socket, "listening");
      socket.setRecvBufferSize(KERNEL_BUFFER);
    }
    // It reaches each from where its sender is reached, who may be he himself: an onion path has few to choose from here.
    const doorOf = (port: number) => (port === alice.port ? atAlice : atBob);
    atBob.on("message", (bytes, { port }) => pass(bytes, doorOf(port), bob.port));
    atAlice.on("message", (bytes, { port }) => pass(bytes, doorOf(port), alice.port));
    return { alice: atAlice.address().port, bob: atBob.address().port };
  },

  /** From now on that share, 0 to 1, both ways; the same datagrams, as far as their number goes, each time. */
  lose(share: number): void {
    loss = share;
    random = 1;
    counts.passed = 0;
    counts.lost = 0;
  },

  /** Since the last `lose`. */
  counts: () => counts,

  close(): void {
    for (const socket of sockets) socket.close();
  },
};

function pass(bytes: Uint8Array, from: Socket, port: number): void {
  random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
  if (random / 2 ** 32 < loss) {
    counts.lost++;
    return;
  }
  counts.passed++;
  from.send(bytes, port, HOST);
}

serve(orders);
