import { startBootstrapd } from "../../test/interop/bootstrapd.ts";
import type { Bench } from "./bench.ts";
import { startOurNode } from "./our_node.ts";
import { pin } from "./processes/child.ts";
import type { NodeAddress } from "./processes/node_address.ts";

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
  /** Whether they relay, on the TCP port of the same number. */
  readonly relay?: boolean;
}

/** Of tox-bootstrapd where it is installed, so that both sides live in the same network; else of ours. */
export function startNetwork(bench: Bench, size: number, options: NodeOptions = {}): Promise<Network> {
  return startNetworkOf(bench, bench.hasBootstrapd ? "tox-bootstrapd" : "toxcore-ts", size, options);
}

export async function startNetworkOf(
  bench: Bench,
  kind: NodeKind,
  size: number,
  options: NodeOptions = {},
): Promise<Network> {
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

/** A node that begins with `known`: either program as an operator runs it. */
export async function startNode(
  bench: Bench,
  kind: NodeKind,
  known: readonly NodeAddress[],
  { host = "127.0.0.1", core, relay = false }: NodeOptions = {},
): Promise<Node> {
  const start = kind === "toxcore-ts" ? startOurNode : startBootstrapd;
  const daemon = await bench.start(() => start({ nodes: known, tcpRelay: relay }));
  if (core !== undefined) pin(daemon.pid, core);
  const { port, publicKey, pid } = daemon; // both listen at every address
  return { address: { host, port, publicKey }, pid, [Symbol.asyncDispose]: () => daemon.close() };
}
