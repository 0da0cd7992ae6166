import { readFile } from "node:fs/promises";
import { type BootstrapNode, publicNodes, ToxError } from "../index.ts";
import { whyUnreadable } from "./why_unreadable.ts";

/** The nodes of a file in the form that nodes.tox.chat publishes. Rejects with `invalid-argument`. */
export async function readNodesFile(path: string): Promise<BootstrapNode[]> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new ToxError("invalid-argument", `The nodes file ${path} cannot be read: ${whyUnreadable(error)}.`);
  });
  return parseNodes(text, path);
}

/** The nodes of such a text; those known to be down over UDP are left out. Throws `invalid-argument`. */
export function parseNodes(text: string, path: string): BootstrapNode[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    throw new ToxError("invalid-argument", `The nodes file ${path} is not JSON: ${(error as Error).message}.`);
  }
  const nodes = (list as { nodes?: unknown } | null)?.nodes;
  if (!Array.isArray(nodes)) {
    throw new ToxError(
      "invalid-argument",
      `The nodes file ${path} has no list "nodes", as nodes.tox.chat publishes it.`,
    );
  }
  return nodes.flatMap(nodesOfEntry);
}

/** The dated list that is shipped with the library. */
export function shippedNodes(): BootstrapNode[] {
  return publicNodes.nodes.flatMap(({ host, ipv6, port, tcpPorts, publicKey }) =>
    [host, ...(ipv6 === undefined ? [] : [ipv6])].map((address) => ({ host: address, port, tcpPorts, publicKey })),
  );
}

function nodesOfEntry(entry: unknown): BootstrapNode[] {
  if (typeof entry !== "object" || entry === null) return [];
  const { ipv4, ipv6, port, tcp_ports: tcp, public_key: publicKey, status_udp: up } = entry as Record<string, unknown>;
  if (up === false || !isPort(port)) return [];
  if (typeof publicKey !== "string" || !/^[0-9a-fA-F]{64}$/.test(publicKey)) return [];
  const hosts = [ipv4, ipv6].filter(
    (host) => typeof host === "string" && host !== "" && host !== "-" && host !== "NONE",
  );
  const tcpPorts = Array.isArray(tcp) && { tcpPorts: tcp.filter(isPort) };
  return [...new Set(hosts as string[])].map((host) => ({ host, port, publicKey, ...tcpPorts }));
}

function isPort(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 65535;
}
