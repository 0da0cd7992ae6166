import { readFile } from "node:fs/promises";
import { type BootstrapNode, publicNodes, ToxError } from "../index.ts";

/** `HOST:PORT:KEY`, an IPv6 address in brackets: `[2001:db8::1]:33445:KEY`. */
export function parseBootstrapNode(text: string): BootstrapNode {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5}):([0-9a-fA-F]{64})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || match?.[4] === undefined || port < 1 || port > 65535) {
    throw new ToxError(
      "invalid-argument",
      `"${text}" is no node: write HOST:PORT:KEY with a key of 64 hex digits, and an IPv6 address in brackets.`,
    );
  }
  return { host, port, publicKey: match[4] };
}

/** The nodes of a file in the form that nodes.tox.chat publishes; those known to be down over UDP are left out. */
export async function readNodesFile(path: string): Promise<BootstrapNode[]> {
  let list: unknown;
  try {
    list = JSON.parse(await readFile(path, "utf8"));
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
  return nodes.flatMap(nodesOfEntry);
}

/** The dated list that is shipped with the library. */
export function shippedNodes(): BootstrapNode[] {
  return publicNodes.nodes.flatMap(({ host, ipv6, port, publicKey }) =>
    [host, ...(ipv6 === undefined ? [] : [ipv6])].map((address) => ({ host: address, port, publicKey })),
  );
}

function nodesOfEntry(entry: unknown): BootstrapNode[] {
  if (typeof entry !== "object" || entry === null) return [];
  const { ipv4, ipv6, port, public_key: publicKey, status_udp: up } = entry as Record<string, unknown>;
  if (up === false || typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65535) return [];
  if (typeof publicKey !== "string" || !/^[0-9a-fA-F]{64}$/.test(publicKey)) return [];
  const hosts = [ipv4, ipv6].filter(
    (host) => typeof host === "string" && host !== "" && host !== "-" && host !== "NONE",
  );
  return [...new Set(hosts as string[])].map((host) => ({ host, port, publicKey }));
}
