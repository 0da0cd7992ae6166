/**
 * Asks one node for nodes as fast as it answers: requests sealed beforehand, over several sockets, a fixed number of them
 * under way. Each answer is looked at from outside, one in `SAMPLE` is opened.
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { DHT_PACKET_OVERHEAD } from "../../../src/wire/dht/dht_packet.ts";
import { MAX_NODES_RESPONSE_PAYLOAD_SIZE } from "../../../src/wire/dht/nodes_response.ts";
import { PACKED_NODE_IPV4_SIZE } from "../../../src/wire/packed_node.ts";
import { PacketId } from "../../../src/wire/packet_ids.ts";
import type { NodeAddress } from "./node_address.ts";
import { now, serve } from "./orders.ts";
import { crypto, openAnswer, type Sender, sealRequest, senderTo } from "./sealed_request.ts";

export interface Load {
  readonly node: NodeAddress;
  /** How many ask, each with a key of its own. */
  readonly senders: number;
}

/** Since the start. */
export interface LoadCount {
  readonly at: number;
  readonly answered: number;
  /** Of those answered, how many were opened and found to be what was asked for. */
  readonly opened: number;
  /** Requests given up. */
  readonly lost: number;
  /** Answers that name nobody, or to something that was not asked lately. */
  readonly wrong: number;
}

export type LoadOrders = typeof orders;

const SOCKETS = 16;
/** Small enough for the receive buffer that Linux gives a socket, large enough to keep any node busy. */
const UNDER_WAY_PER_SOCKET = 8;
/** Few senders ask again and again, with so many requests in turn over all sockets. */
const LEAST_REQUESTS = 4_096;
const SAMPLE = 64;
const REMEMBERED = 512;
/** In ms. */
const PATIENCE = 50;
const LONGEST_RUN = 60_000;

interface Request {
  readonly sender: Sender;
  readonly packet: Uint8Array;
}

class Asker {
  answered = 0;
  opened = 0;
  lost = 0;
  wrong = 0;
  readonly #socket: Socket;
  readonly #node: Buffer;
  readonly #requests: readonly Request[];
  readonly #asked: number[] = []; // which requests, the last REMEMBERED
  #underWay = 0;
  #heard = 0;
  #next = 0;
  #heardAt = 0;
  #running = false;

  private constructor(socket: Socket, node: Uint8Array, requests: readonly Request[]) {
    this.#socket = socket;
    this.#node = Buffer.from(node);
    this.#requests = requests;
    socket.on("message", (bytes) => this.#hear(bytes));
  }

  static async open({ host, port, publicKey }: NodeAddress, requests: readonly Request[]): Promise<Asker> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    socket.connect(port, host);
    await once(socket, "connect");
    return new Asker(socket, Buffer.from(publicKey, "hex"), requests);
  }

  start(): void {
    this.#running = true;
    this.#fill();
  }

  stop(): void {
    this.#running = false;
    this.#underWay = 0;
  }

  close(): void {
    this.#socket.close();
  }

  /** Gives up what is under way when nothing has come for a while. */
  expire(): void {
    if (now() - this.#heardAt < PATIENCE) return;
    this.lost += this.#underWay;
    this.#underWay = 0;
    this.#fill();
  }

  #fill(): void {
    this.#heardAt = now();
    while (this.#underWay < UNDER_WAY_PER_SOCKET) this.#ask();
  }

  #ask(): void {
    const index = this.#next;
    this.#next = (index + 1) % this.#requests.length;
    const request = this.#requests[index];
    if (request === undefined) return;
    this.#underWay++;
    this.#asked.push(index);
    if (this.#asked.length > REMEMBERED) this.#asked.shift();
    this.#socket.send(request.packet);
  }

  #hear(bytes: Buffer): void {
    if (!this.#running || bytes[0] !== PacketId.NodesResponse) return; // a ping: who asks is worth knowing
    const isSample = this.#heard++ % SAMPLE === 0;
    if (this.#isPlausible(bytes) && (!isSample || this.#opens(bytes))) this.answered++;
    else this.wrong++;
    this.#underWay = Math.max(0, this.#underWay - 1);
    this.#heardAt = now();
    while (this.#underWay < UNDER_WAY_PER_SOCKET) this.#ask();
  }

  #isPlausible(bytes: Buffer): boolean {
    const nodes = (bytes.length - EMPTY_ANSWER) / PACKED_NODE_IPV4_SIZE;
    return (
      Number.isInteger(nodes) && nodes > 0 && bytes.length <= LONGEST_ANSWER && this.#node.equals(bytes.subarray(1, 33))
    );
  }

  /** Whether it answers one of the last requests, be it a late one. */
  #opens(bytes: Buffer): boolean {
    const asked = this.#asked.findLast((index) => {
      const request = this.#requests[index];
      return request !== undefined && openAnswer(bytes, request.sender, BigInt(index)) !== undefined;
    });
    if (asked === undefined) return false;
    this.opened++;
    return true;
  }
}

const EMPTY_ANSWER = DHT_PACKET_OVERHEAD + 1 + 8;
const LONGEST_ANSWER = DHT_PACKET_OVERHEAD + MAX_NODES_RESPONSE_PAYLOAD_SIZE;

let askers: readonly Asker[] = [];
let watch: NodeJS.Timeout | undefined;
let end: NodeJS.Timeout | undefined;

const orders = {
  /** Makes keys, requests and sockets. */
  async prepare({ node, senders }: Load): Promise<void> {
    const key = Buffer.from(node.publicKey, "hex");
    const all = Array.from({ length: senders }, () => senderTo(key));
    // each socket has its share of the senders, so that each sender has one address
    const shares = Array.from({ length: SOCKETS }, (_, socket) => all.filter((_, i) => i % SOCKETS === socket));
    askers = await Promise.all(shares.map((share) => Asker.open(node, requestsOf(share))));
  },

  /** Asks until `stop`, or for `LONGEST_RUN`. */
  start(): void {
    orders.stop();
    for (const asker of askers) asker.start();
    watch = setInterval(() => {
      for (const asker of askers) asker.expire();
    }, PATIENCE / 5);
    end = setTimeout(orders.stop, LONGEST_RUN);
  },

  count(): LoadCount {
    const sum = (field: "answered" | "opened" | "lost" | "wrong") => askers.reduce((all, one) => all + one[field], 0);
    return { at: now(), answered: sum("answered"), opened: sum("opened"), lost: sum("lost"), wrong: sum("wrong") };
  },

  stop(): void {
    clearInterval(watch);
    clearTimeout(end);
    for (const asker of askers) asker.stop();
  },

  close(): void {
    orders.stop();
    for (const asker of askers) asker.close();
    askers = [];
  },
};

function requestsOf(senders: readonly Sender[]): Request[] {
  const count = Math.max(senders.length, LEAST_REQUESTS / SOCKETS);
  return Array.from({ length: count }, (_, index) => {
    const sender = senders[index % senders.length];
    if (sender === undefined) throw new Error(`fewer senders than the ${SOCKETS} sockets`);
    const target = new Uint8Array(32);
    crypto.random.fill(target);
    return { sender, packet: sealRequest(sender, target, BigInt(index)) };
  });
}

serve(orders);
