/** Bootstrap nodes from files and command lines. An input's first byte chooses: an odd one is followed by a single node. */
import { parseNodes } from "../../src/cli/nodes.ts";
import { type BootstrapNode, parseBootstrapNode, publicNodes, ToxError } from "../../src/index.ts";
import { fromUtf8, utf8 } from "../../src/util/text.ts";
import { broken } from "../codec.ts";

const KEY = "5A".repeat(32);

export function fuzz(data: Uint8Array): void {
  const text = fromUtf8(data.subarray(1));
  if (((data[0] ?? 0) & 1) === 1) fuzzNode(text);
  else fuzzList(text);
}

export function* corpus(): Iterable<Uint8Array> {
  for (const host of ["tox.example", "192.0.2.1", "[2001:db8::1]"]) yield input(1, `${host}:33445:${KEY}`);
  const nodes = publicNodes.nodes.slice(0, 3).map(({ host, ipv6, port, publicKey }) => {
    return {
      ipv4: host,
      ipv6: ipv6 ?? "-",
      port,
      public_key: publicKey,
      tcp_ports: [443, 3389],
      status_udp: true,
      location: "XX",
    };
  });
  yield input(0, JSON.stringify({ last_scan: 1, nodes }));
  yield input(0, JSON.stringify({ nodes: [] }));
  yield input(0, JSON.stringify({ nodes: [{ ipv4: "NONE", port: 0, public_key: KEY, status_udp: false }, null, 7] }));
}

function fuzzNode(text: string): void {
  const node = takenOrRefused(() => parseBootstrapNode(text));
  if (node === undefined) return;
  checkNode(node);
  if (!text.startsWith(node.host) && !text.startsWith(`[${node.host}]`)) broken(`the host of ${text} is ${node.host}`);
}

function fuzzList(text: string): void {
  const nodes = takenOrRefused(() => parseNodes(text, "nodes.json"));
  if (nodes === undefined) return;
  for (const node of nodes) checkNode(node);
  const listed = (JSON.parse(text) as { nodes: unknown[] }).nodes.length;
  if (nodes.length > 2 * listed) broken(`${nodes.length} nodes of ${listed} entries`);
}

function checkNode({ host, port, publicKey, tcpPorts = [] }: BootstrapNode): void {
  if (typeof host !== "string" || host === "") broken(`${JSON.stringify(host)} is no host`);
  for (const each of [port, ...tcpPorts]) {
    if (!Number.isInteger(each) || each < 1 || each > 65535) broken(`${each} is no port`);
  }
  if (!/^[0-9a-fA-F]{64}$/.test(publicKey)) broken(`${JSON.stringify(publicKey)} is no key`);
}

function takenOrRefused<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ToxError && error.code === "invalid-argument") return undefined;
    throw error;
  }
}

function input(kind: number, text: string): Uint8Array {
  return Uint8Array.of(kind, ...utf8(text));
}
