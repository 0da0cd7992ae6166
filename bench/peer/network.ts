import { startBootstrapd } from "../../test/interop/bootstrapd.ts";
import type { Bench } from "./bench.ts";
import { Child, pin } from "./processes/child.ts";
import type { NodeAddress } from "./processes/node_address.ts";
import type { PeerOrders } from "./processes/peer.ts";

export type NodeKind = "tox-bootstrapd" | "toxcore-ts";

/** A DHT node in a process of its own. */
export interface Node extends AsyncDisposable {
  readonly address: NodeAddress;
  readonly pid: number;
}

/** DHT nodes on loopback that all began with the same one. */
export interface Network extends AsyncDisposable {
  readonly kind: NodeKind;
  readonly nodes: readonly Node[];
  readonly addresses: readonly NodeAddress[];
}

export interface NodeOptions {
  /** Where they are reached; on loopback when left out. */
  readonly host?: string;
  /** The only core that they may use. */
  readonly core?: number;
}

/** Of tox-bootstrapd where it is installed, so that both sides live in the same network; else of ours. */
export async function startNetwork(bench: Bench, size: number, options: NodeOptions = {}): Promise<Network> {
  const kind = bench.hasBootstrapd ? "tox-bootstrapd" : "toxcore-ts";
  const first = await startNode(bench, kind, [], options);
  const others = Array.from({ length: size - 1 }, () => startNode(bench, kind, [first.address], options));
  const nodes = [first, ...(await Promise.all(others))];
  return {
    kind,
    nodes,
    addresses: nodes.map(({ address }) => address),
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));
    },
  };
}

/** A node that begins with `known`. */
export async function startNode(
  bench: Bench,
  kind: NodeKind,
  known: readonly NodeAddress[],
  { host = "127.0.0.1", core }: NodeOptions = {},
): Promise<Node> {
  if (kind === "toxcore-ts") {
    const child = await bench.start(() => new Child<PeerOrders>("our_peer.ts", { core }));
    const { node: address } = await child.order("start", { host });
    await child.order("bootstrap", known);
    return { address, pid: child.pid, [Symbol.asyncDispose]: () => child.close() };
  }
  const daemon = await bench.start(() => startBootstrapd({ nodes: known }));
  if (core !== undefined) pin(daemon.pid, core);
  const { port, publicKey, pid } = daemon; // it listens at every address
  return { address: { host, port, publicKey }, pid, [Symbol.asyncDispose]: () => daemon.close() };
}
