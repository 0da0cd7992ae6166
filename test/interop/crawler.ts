import { createSocket } from "node:dgram";
import { once } from "node:events";
import { Crypto } from "../../src/crypto/crypto.ts";
import { asPublicKey, type SecretKey } from "../../src/crypto/keys.ts";
import { nodeRandom } from "../../src/node/random.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import { fromHex, toHex } from "../../src/util/bytes.ts";
import { formatAddress } from "../../src/util/endpoint.ts";
import { Forge } from "../support/forge.ts";
import { readNodesAnswer } from "../support/nodes_answer.ts";
import type { DhtNode } from "./toxcore.ts";

type Node = DhtNode & { publicKey: string };

const ASK_AGAIN_MS = 1_000;

export interface Crawl {
  readonly start: Node;
  /** DHT keys, in hex: the crawl is over when all were named. */
  readonly wanted: ReadonlySet<string>;
  /** Whether a node that was found is asked what it knows. */
  readonly mayAsk: (publicKey: string) => boolean;
  readonly timeoutMs: number;
}

/**
 * Asks a node who is near each of the wanted keys, and so on with those it names, as a stranger who is nobody's node.
 * Resolves to where each of the wanted is; rejects when one is not named in time.
 */
export async function crawl({ start, wanted, mayAsk, timeoutMs }: Crawl): Promise<Map<string, Node>> {
  const failure = new Error();
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const crypto = new Crypto(sodiumProvider, nodeRandom);
  const keys = crypto.keyPair();
  const found = new Map<string, Node>();
  const asked: { node: Node; forge: Forge }[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<Map<string, Node>>();

  const ask = ({ node, forge }: { node: Node; forge: Forge }) => {
    for (const key of wanted) {
      if (!found.has(key)) socket.send(forge.nodesRequest(keys, keyOf(key)), node.port, node.host);
    }
  };
  const meet = (node: Node) => {
    const known = { node, forge: new Forge(crypto, { dht: keyOf(node.publicKey), self: keyOf(node.publicKey) }) };
    asked.push(known);
    ask(known);
  };
  socket.on("message", (bytes) => {
    for (const node of nodesIn(crypto, keys.secretKey, bytes)) {
      if (!wanted.has(node.publicKey) || found.has(node.publicKey)) continue;
      found.set(node.publicKey, node);
      if (mayAsk(node.publicKey) && node.publicKey !== start.publicKey) meet(node);
    }
    if (found.size === wanted.size) resolve(found);
  });
  const again = setInterval(() => asked.forEach(ask), ASK_AGAIN_MS);
  const timeout = setTimeout(() => {
    failure.message = `found ${found.size} of ${wanted.size} nodes within ${timeoutMs} ms, asking ${asked.length}`;
    reject(failure);
  }, timeoutMs);
  meet(start);
  try {
    return await promise;
  } finally {
    clearInterval(again);
    clearTimeout(timeout);
    socket.close();
  }
}

function nodesIn(crypto: Crypto, secretKey: SecretKey, bytes: Uint8Array): Node[] {
  const nodes = readNodesAnswer(crypto, secretKey, bytes)?.nodes ?? [];
  return nodes.map(({ publicKey, endpoint }) => ({
    host: formatAddress(endpoint.address),
    port: endpoint.port,
    publicKey: toHex(publicKey),
  }));
}

function keyOf(hex: string) {
  const bytes = fromHex(hex);
  if (bytes === undefined) throw new Error(`not hex: ${hex}`);
  return asPublicKey(bytes);
}
