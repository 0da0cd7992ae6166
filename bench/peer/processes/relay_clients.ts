/**
 * Many clients of one relay in one process, over real sockets: they do nothing, or each sends to its partner. The answers
 * to pings are `RelayClient`'s own.
 */
import { loadCryptoProvider, nodeClock, nodeRandom, nodeStreams } from "toxcore-ts/node";
import { Crypto } from "../../../src/crypto/crypto.ts";
import { asPublicKey, type KeyPair } from "../../../src/crypto/keys.ts";
import { SharedKeyCache } from "../../../src/crypto/shared_key_cache.ts";
import { silentLogger } from "../../../src/env/logger.ts";
import { MemoryMetrics } from "../../../src/env/metrics.ts";
import { RelayClient } from "../../../src/relay/relay_client.ts";
import { fromHex } from "../../../src/util/bytes.ts";
import { makeEndpoint } from "../../../src/util/endpoint.ts";
import type { NodeAddress } from "./node_address.ts";
import { serve } from "./orders.ts";

export type RelayClientsOrders = typeof orders;

export interface Relayed {
  readonly sent: number;
  readonly received: number;
  /** Packets that our own stream had no room for. */
  readonly refused: number;
  /** Connections that ended. */
  readonly ended: number;
}

/** As many at once as no relay takes for an attack. */
const AT_ONCE = 50;
const PACKET_SIZE = 1024;
/** In ms. */
const TICK = 10;

const crypto = new Crypto(await loadCryptoProvider(), nodeRandom);
const clock = nodeClock();
const streams = nodeStreams();
const metrics = new MemoryMetrics();
const alive = setInterval(() => {}, 60_000); // timers of the clock do not keep the process
let members: Member[] = [];
let sending: NodeJS.Timeout | undefined;
let [sent, received, refused, ended] = [0, 0, 0, 0];

interface Member {
  readonly keyPair: KeyPair;
  readonly client: RelayClient;
  readonly ready: Promise<void>;
  /** Resolves when the partner is there too. */
  readonly met: Promise<void>;
  partner: Member | undefined;
}

const orders = {
  /** Connects so many clients and links each with its partner; answers when all are linked. */
  async connect({ node, clients }: { readonly node: NodeAddress; readonly clients: number }): Promise<void> {
    for (let left = clients; left > 0; left -= AT_ONCE) {
      const fresh = Array.from({ length: Math.min(AT_ONCE, left) }, () => join(node));
      await Promise.all(fresh.map(({ ready }) => ready));
      for (const [i, member] of fresh.entries()) {
        member.partner = fresh[i ^ 1];
        if (member.partner) member.client.requestRoute(member.partner.keyPair.publicKey);
      }
      await Promise.all(fresh.map(({ met }) => met));
      members.push(...fresh);
    }
  },

  /** From now on each sends so many packets of 1 KiB a second, evenly spread; 0 ends it. */
  send(perSecond: number): void {
    clearInterval(sending);
    sending = undefined;
    if (perSecond === 0) return;
    const packet = new Uint8Array(PACKET_SIZE).fill(27);
    const startedAt = clock.monotonic();
    let done = 0;
    sending = setInterval(() => {
      const due = Math.floor(((clock.monotonic() - startedAt) * perSecond * members.length) / 1000);
      for (; done < due; done++) {
        const member = members[done % members.length];
        if (member?.partner === undefined) continue;
        if (member.client.sendTo(member.partner.keyPair.publicKey, packet)) sent++;
        else refused++;
      }
    }, TICK);
  },

  count: (): Relayed => ({ sent, received, refused, ended }),

  close(): void {
    clearInterval(sending);
    clearInterval(alive);
    for (const { client } of members) client.close();
    members = [];
    clock.close();
  },
};

function join(node: NodeAddress): Member {
  const keyPair = crypto.keyPair();
  const sharedKeys = new SharedKeyCache(crypto, keyPair.secretKey, 1);
  const ready = Promise.withResolvers<void>();
  const met = Promise.withResolvers<void>();
  const address = makeEndpoint(Uint8Array.of(127, 0, 0, 1), node.port);
  const publicKey = asPublicKey(fromHex(node.publicKey) ?? new Uint8Array());
  const client = new RelayClient(
    { streams, clock, crypto, metrics, logger: silentLogger, keyPair, sharedKeys },
    { publicKey, address },
    {
      onReady: () => ready.resolve(),
      onPeer: () => met.resolve(),
      onPacket: (_relay, _peer, packet) => {
        if (packet.length === PACKET_SIZE) received++;
      },
      onOob: () => {},
      onOnionResponse: () => {},
      onForwarding: () => {},
      onWritable: () => {},
      onClosed: (_relay, reason) => {
        ended++;
        ready.reject(new Error(`the relay ended a connection: ${reason}`));
      },
    },
  );
  return { keyPair, client, ready: ready.promise, met: met.promise, partner: undefined };
}

serve(orders);
