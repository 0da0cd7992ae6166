import type { PublicKey } from "../crypto/keys.ts";
import type { Cancel, Clock } from "../env/clock.ts";
import type { Endpoint } from "../env/datagram.ts";
import type { Random } from "../env/random.ts";
import { sameBytes } from "../util/bytes.ts";
import { sameEndpoint } from "../util/endpoint.ts";
import { KeyMap } from "../util/key_map.ts";
import { randomU32, randomU64 } from "../util/random_numbers.ts";
import { nodeKey } from "./node_key.ts";

/** How long an answer is waited for, in ms. DHT.h PING_TIMEOUT. */
export const REQUEST_TIMEOUT = 5_000;
/** DHT.h DHT_PING_ARRAY_SIZE. */
export const MAX_PENDING_REQUESTS = 512;

export interface PendingRequest {
  readonly sendback: bigint;
  readonly kind: "ping" | "nodes";
  readonly publicKey: PublicKey;
  readonly endpoint: Endpoint;
  readonly sentAt: number;
  /** Told of the answer before anybody else. */
  readonly onAnswer: (() => void) | undefined;
}

/** What one node at one address owes us. */
interface UnderWay {
  ping: number;
  nodes: number;
  /** When it was asked last. */
  last: number;
}

/**
 * The requests under way, by the number that the answer has to bring back. An answer counts once, and only from the key
 * and the address that were asked. toxcore's ping array.
 */
export class PendingRequests {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #onSilence: (request: PendingRequest) => void;
  readonly #requests = new Map<bigint, PendingRequest>(); // oldest first, bounded by MAX_PENDING_REQUESTS
  readonly #asked: KeyMap<UnderWay>; // how many of them to a node at an address
  #timer: Cancel | undefined;

  constructor(clock: Clock, random: Random, onSilence: (request: PendingRequest) => void) {
    this.#clock = clock;
    this.#random = random;
    this.#onSilence = onSilence;
    this.#asked = new KeyMap(randomU32(random));
  }

  get size(): number {
    return this.#requests.size;
  }

  add(
    kind: "ping" | "nodes",
    publicKey: PublicKey,
    endpoint: Endpoint,
    onAnswer: (() => void) | undefined,
  ): PendingRequest {
    if (this.#requests.size >= MAX_PENDING_REQUESTS) this.#forgetOldest();
    let sendback = randomU64(this.#random);
    while (sendback === 0n || this.#requests.has(sendback)) sendback = randomU64(this.#random);
    const key = publicKey.slice() as PublicKey;
    const request = { sendback, kind, publicKey: key, endpoint, sentAt: this.#clock.monotonic(), onAnswer };
    this.#requests.set(sendback, request);
    const node = nodeKey(publicKey, endpoint);
    const asked = this.#asked.get(node);
    if (asked === undefined) this.#asked.set(node, { ping: 0, nodes: 0, [kind]: 1, last: request.sentAt });
    else {
      asked[kind]++;
      asked.last = request.sentAt;
    }
    if (this.#timer === undefined) this.#arm(request);
    return request;
  }

  /** The request that this is the answer to; it is over then. */
  take(kind: "ping" | "nodes", sendback: bigint, from: Uint8Array, endpoint: Endpoint): PendingRequest | undefined {
    const request = this.#requests.get(sendback);
    if (request === undefined || request.kind !== kind) return undefined;
    if (!sameBytes(request.publicKey, from) || !sameEndpoint(request.endpoint, endpoint)) return undefined;
    if (request.sentAt + REQUEST_TIMEOUT <= this.#clock.monotonic()) return undefined;
    this.#delete(request);
    return request;
  }

  /** Whether this node, at this address, owes us an answer of this kind. From others none is worth deciphering. */
  awaits(kind: "ping" | "nodes", publicKey: Uint8Array, endpoint: Endpoint): boolean {
    return (this.#asked.get(nodeKey(publicKey, endpoint))?.[kind] ?? 0) > 0;
  }

  /** Whether this node, at this address, was asked anything within the last `ms` and owes us an answer. */
  wasAskedWithin(ms: number, publicKey: PublicKey, endpoint: Endpoint): boolean {
    const asked = this.#asked.get(nodeKey(publicKey, endpoint));
    return asked !== undefined && this.#clock.monotonic() - asked.last < ms;
  }

  clear(): void {
    this.#timer?.();
    this.#timer = undefined;
    this.#requests.clear();
    this.#asked.clear();
  }

  #arm(oldest: PendingRequest): void {
    this.#timer = this.#clock.at(oldest.sentAt + REQUEST_TIMEOUT, () => {
      this.#timer = undefined;
      this.#expire();
    });
  }

  #expire(): void {
    const now = this.#clock.monotonic();
    const silent: PendingRequest[] = [];
    for (const request of this.#requests.values()) {
      if (request.sentAt + REQUEST_TIMEOUT > now) {
        this.#arm(request);
        break;
      }
      silent.push(request);
    }
    for (const request of silent) this.#delete(request);
    for (const request of silent) this.#onSilence(request);
  }

  #forgetOldest(): void {
    for (const request of this.#requests.values()) {
      this.#delete(request);
      return;
    }
  }

  #delete(request: PendingRequest): void {
    this.#requests.delete(request.sendback);
    const node = nodeKey(request.publicKey, request.endpoint);
    const asked = this.#asked.get(node);
    if (asked !== undefined && --asked[request.kind] === 0 && asked.ping + asked.nodes === 0) this.#asked.delete(node);
  }
}
