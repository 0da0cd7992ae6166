import { Crypto } from "../../src/crypto/crypto.ts";
import type { PublicKey } from "../../src/crypto/keys.ts";
import { SharedKeyCache } from "../../src/crypto/shared_key_cache.ts";
import { CloseList } from "../../src/dht/close_list.ts";
import { DhtChannel } from "../../src/dht/dht_channel.ts";
import { NodeTable } from "../../src/dht/node_table.ts";
import { MemoryMetrics } from "../../src/env/metrics.ts";
import { UdpNetwork } from "../../src/network/udp_network.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import { randomBytes, shuffle } from "../../src/util/random_numbers.ts";
import { encodeNodesRequestPayload } from "../../src/wire/dht/nodes_request.ts";
import { encodePingPayload } from "../../src/wire/dht/ping.ts";
import { ignoreDrop } from "../../src/wire/drop.ts";
import { PacketId } from "../../src/wire/packet_ids.ts";
import { callRows, type Effort, type Part, type PartRow } from "./part.ts";
import { endpointOf, QuietSocket, random, stillClock } from "./quiet.ts";
import { type SimulatedNetwork, type SimulatedNode, settledNetwork, spend, startNode } from "./simulated.ts";

type Calls = Record<string, () => unknown>;

const NETWORK_SIZE = 200;
const LOOKUPS = 20;
/** A lookup that has not come to its end by then never will. */
const TIMEOUT = 60_000;

export const dht: Part = {
  name: "dht",
  about: "a node's tables, what it does for others, and what a lookup costs a whole network",
  async *rows(effort) {
    yield* callRows(effort, tables());
    yield* callRows(effort, channels());
    const network = await settledNetwork(NETWORK_SIZE);
    yield* callRows(effort, answers(network.nodes[0] as SimulatedNode));
    yield* lookups(effort, network);
  },
};

function tables(): Calls {
  const calls: Calls = {};
  for (const count of [100, 1024]) {
    const { table, self } = fullTable(count);
    const targets = Array.from({ length: 256 }, () => randomBytes(random, 32));
    let next = 0;
    calls[`the 4 nearest to any key, of ${count.toLocaleString("en")} nodes`] = () =>
      table.closest(targets[next++ & 255] as Uint8Array, 4, false, 4);
    const near = self.slice();
    calls[`the 4 nearest to our own key, of ${count.toLocaleString("en")} nodes`] = () =>
      table.closest(near, 4, false, 4);
  }
  const { table, keys } = fullTable(1024);
  let next = 0;
  calls["a node of the table has answered"] = () => {
    const at = next++ % keys.length;
    return table.confirm(keys[at] as PublicKey, endpointOf(at));
  };
  return calls;
}

/** `count` nodes: 8 for each number of leading bits that they share with us. */
function fullTable(count: number): { table: NodeTable; self: PublicKey; keys: PublicKey[] } {
  const self = randomBytes(random, 32) as PublicKey;
  const table = new NodeTable(stillClock(), 1);
  table.addList(new CloseList(self));
  const keys = Array.from({ length: count }, (_, i) => keySharing(self, i >> 3));
  shuffle(random, keys);
  for (const [i, key] of keys.entries()) table.confirm(key, endpointOf(i));
  if (table.size !== count) throw new Error(`The table has taken ${table.size} nodes of ${count}.`);
  return { table, self, keys };
}

/** A key whose first `bits` bits are those of `key`, and the next is not. */
function keySharing(key: PublicKey, bits: number): PublicKey {
  const other = randomBytes(random, 32) as PublicKey;
  const at = bits >> 3;
  other.set(key.subarray(0, at));
  const mask = 0xff >> (bits & 7);
  const flipped = (key[at] ?? 0) ^ (0x80 >> (bits & 7));
  other[at] = (flipped & ~(mask >> 1)) | ((other[at] ?? 0) & (mask >> 1));
  return other;
}

function channels(): Calls {
  const crypto = new Crypto(sodiumProvider, random);
  const network = new UdpNetwork([new QuietSocket()], new MemoryMetrics());
  const [ours, theirs] = [crypto.keyPair(), crypto.keyPair()];
  const channel = new DhtChannel(network, crypto, ours, new SharedKeyCache(crypto, ours.secretKey));
  const others = new DhtChannel(network, crypto, theirs, new SharedKeyCache(crypto, theirs.secretKey));
  const packet = new Uint8Array(2048);
  const payload = { id: PacketId.PingRequest, sendback: 1n };
  const seal = () =>
    channel.seal(packet, PacketId.PingRequest, theirs.publicKey, (into) => encodePingPayload(into, payload));
  const ping = packet.slice(0, seal());
  return {
    "DhtChannel: seal a ping": seal,
    "DhtChannel: open a ping": () => others.open(ping, ignoreDrop),
  };
}

/** What a node of the network does with packets of others, from the socket's handler to the socket's `send`. */
function answers(node: SimulatedNode): Calls {
  const { crypto, network, dht } = node;
  const socket = new QuietSocket();
  let sent = 0;
  socket.onSent = () => {
    sent++;
  };
  const handle = (packet: Uint8Array, number: number) => {
    const before = sent;
    network.receive(packet, endpointOf(number), socket);
    if (sent !== before + 1) throw new Error("The node has not answered.");
  };
  const payload = new Uint8Array(64);
  const packetFrom = (id: number, length: number) => {
    const { publicKey, secretKey } = crypto.keyPair();
    const channel = new DhtChannel(network, crypto, { publicKey, secretKey }, new SharedKeyCache(crypto, secretKey));
    const packet = new Uint8Array(2048);
    const copy = (into: Uint8Array) => {
      into.set(payload);
      return length;
    };
    return packet.slice(0, channel.seal(packet, id, dht.publicKey, copy));
  };
  const ping = packetFrom(PacketId.PingRequest, encodePingPayload(payload, { id: PacketId.PingRequest, sendback: 1n }));
  const target = randomBytes(random, 32) as PublicKey;
  const length = encodeNodesRequestPayload(payload, { target, sendback: 1n });
  const requests = Array.from({ length: 16 }, () => packetFrom(PacketId.NodesRequest, length));
  let next = 0;
  return {
    "answer a ping": () => handle(ping, 50_000),
    "answer a nodes request, one of 16 senders": () => {
      const at = next++ & 15;
      handle(requests[at] as Uint8Array, 50_000 + at);
    },
  };
}

/** Lookups of nodes that are there, one after another, by nodes that have been there for long and by others. */
async function* lookups(effort: Effort, { universe, nodes }: SimulatedNetwork): AsyncIterable<PartRow> {
  const count = Math.ceil(LOOKUPS * effort.share);
  const first = nodes[0] as SimulatedNode;
  const settled = nodes.slice(1, 1 + count);
  const newcomers: SimulatedNode[] = [];
  for (let i = 0; i < count; i++) newcomers.push(await startNode(universe.host(`newcomer ${i}`)));
  const targets = nodes.slice(-count);
  const lookUpAll = async (seekers: readonly SimulatedNode[], prepare: (seeker: SimulatedNode) => void) => {
    let datagrams = 0;
    const spent = await spend(universe, async () => {
      for (const [i, seeker] of seekers.entries()) {
        const stopCounting = universe.network.addFilter((_, from, to) => {
          if (from === seeker.endpoint || to === seeker.endpoint) datagrams++;
          return true;
        });
        prepare(seeker);
        let found = false;
        seeker.dht.lookUp((targets[i] as SimulatedNode).dht.publicKey, () => {
          found = true;
        });
        await universe.runUntil(() => found, { timeout: TIMEOUT, what: "the lookup's end" });
        stopCounting();
      }
    });
    return {
      "virtual ms": spent.virtualMs / count,
      datagrams: datagrams / count,
      "CPU ms": spent.cpuMs / count,
      "bytes a call": spent.bytes / count,
    };
  };
  const among = `one of ${NETWORK_SIZE} nodes`;
  yield { work: `look up ${among}, who is asked for by another`, figures: await lookUpAll(settled, () => {}) };
  const joinNetwork = ({ dht }: SimulatedNode) => dht.bootstrap(first.endpoint, first.dht.publicKey);
  yield { work: `join, and look up ${among}`, figures: await lookUpAll(newcomers, joinNetwork) };
}
