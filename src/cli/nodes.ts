import { readFile } from "node:fs/promises";
import { type BootstrapNode, publicNodes, ToxError } from "../index.ts";

/** Nodes to start from, and where they take TCP relay connections. */
export interface StartingNodes {
  readonly nodes: readonly BootstrapNode[];
  readonly relays: readonly BootstrapNode[];
}

/** A node for each UDP address, or for each TCP port of each. */
interface ListedNode {
  readonly hosts: readonly string[];
  /** None where it is known to be down. */
  readonly ports: readonly number[];
  readonly tcpPorts: readonly number[];
  readonly publicKey: string;
}

/** The nodes of a file in the form that nodes.tox.chat publishes. Rejects with `invalid-argument`. */
export async function readNodesFile(path: string): Promise<StartingNodes> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new ToxError("invalid-argument", `The nodes file ${path} cannot be read: ${String(error)}.`);
  });
  return parseNodes(text, path);
}

/** The nodes of such a text; those known to be down, over UDP or over TCP, are left out there. Throws `invalid-argument`. */
export function parseNodes(text: string, path: string): StartingNodes {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    throw new ToxError("invalid-argument", `The nodes file ${path} cannot be read as JSON: ${String(error)}.`);
  }
  const nodes = (list as { nodes?: unknown } | null)?.nodes;
  if (!Array.isArray(nodes)) {
    throw new ToxError(
      "invalid-argument",
      `The nodes file ${path} has no list "nodes", as nodes.tox.chat publishes it.`,
    );
  }
  return startingNodes(nodes.flatMap(listedNode));
}

/** The dated list that is shipped with the library. */
export function shippedNodes(): StartingNodes {
  return startingNodes(
    publicNodes.nodes.map(({ host, ipv6, port, tcpPorts, publicKey }) => {
      return { hosts: ipv6 === undefined ? [host] : [host, ipv6], ports: [port], tcpPorts, publicKey };
    }),
  );
}

function startingNodes(listed: readonly ListedNode[]): StartingNodes {
  const named = ({ hosts, publicKey }: ListedNode, ports: readonly number[]) =>
    hosts.flatMap((host) => ports.map((port) => ({ host, port, publicKey })));
  return {
    nodes: listed.flatMap((node) => named(node, node.ports)),
    relays: listed.flatMap((node) => named(node, node.tcpPorts)),
  };
}

function listedNode(entry: unknown): ListedNode[] {
  if (typeof entry !== "object" || entry === null) return [];
  const {
    ipv4,
    ipv6,
    port,
    tcp_ports,
    public_key: publicKey,
    status_udp,
    status_tcp,
  } = entry as Record<string, unknown>;
  if (typeof publicKey !== "string" || !/^[0-9a-fA-F]{64}$/.test(publicKey)) return [];
  const isNamed = (host: unknown) => typeof host === "string" && host !== "" && host !== "-" && host !== "NONE";
  const hosts = [...new Set([ipv4, ipv6].filter(isNamed) as string[])];
  const ports = status_udp !== false && isPort(port) ? [port] : [];
  const tcpPorts = status_tcp !== false && Array.isArray(tcp_ports) ? [...new Set(tcp_ports.filter(isPort))] : [];
  return [{ hosts, ports, tcpPorts, publicKey }];
}

function isPort(port: unknown): port is number {
  return typeof port === "number" && Number.isInteger(port) && port >= 1 && port <= 65535;
}
