import type { Endpoint } from "../env/datagram.ts";
import { formatAddress, mappedIpv4 } from "../util/endpoint.ts";
import { TokenBucket } from "../util/token_bucket.ts";
import { COST_OF_PACKET, type RelayLimits } from "./relay_limits.ts";

/** Addresses remembered, those with connections apart: so many can use their buckets up and be known by it. */
const MAX_IDLE_ADDRESSES = 16384;
/** A paused address goes on when it may work for so many ms again. */
const RESUME_AFTER_MS = 10;

/** What is known here of a connection. */
interface Pausable {
  readonly stream: { pause(): void; resume(): void };
}

/** What one address has of the relay now. */
export class AddressShare<C extends Pausable = Pausable> {
  readonly #limits: RelayLimits;
  readonly newcomers: TokenBucket;
  /** Waiting for a handshake or a first packet, oldest first. Bounded by `pendingPerAddress`. */
  readonly pending = new Set<C>();
  /** Bounded by `clientsPerAddress`. */
  readonly clients = new Set<C>();
  /** Of those, for whom much waits, the longest first. Bounded by `slowReadersPerAddress`. */
  readonly slow = new Set<C>();
  paused = false;
  #work: number;
  #filledAt: number;

  constructor(limits: RelayLimits, now: number) {
    this.#limits = limits;
    this.newcomers = new TokenBucket(limits.newBurst, 1000 / limits.newPerSecond);
    this.#work = limits.workBurst;
    this.#filledAt = now;
  }

  /** Counts a packet; true when that was more than is due. The clock is read only when the bucket seems empty. */
  spend(bytes: number, clock: () => number): boolean {
    this.#work -= bytes + COST_OF_PACKET;
    if (this.#work >= 0) return false;
    this.#fill(clock());
    return this.#work < 0;
  }

  /** When what was too much is made up for. */
  get resumeAt(): number {
    return this.#filledAt + (-this.#work * 1000) / this.#limits.workPerSecond + RESUME_AFTER_MS;
  }

  pause(): void {
    this.paused = true;
    for (const client of this.clients) client.stream.pause();
  }

  resume(): void {
    this.paused = false;
    for (const client of this.clients) client.stream.resume();
  }

  #fill(now: number): void {
    const filled = this.#work + ((now - this.#filledAt) * this.#limits.workPerSecond) / 1000;
    this.#work = Math.min(this.#limits.workBurst, filled);
    this.#filledAt = now;
  }
}

/** The shares of all addresses that are connected, or were lately. */
export class AddressShares<C extends Pausable> {
  readonly #limits: RelayLimits;
  /** Bounded by the connections there may be, and MAX_IDLE_ADDRESSES. */
  readonly #shares = new Map<string, AddressShare<C>>();

  constructor(limits: RelayLimits) {
    this.#limits = limits;
  }

  of(remote: Endpoint | undefined, now: number): AddressShare<C> {
    const key = remote === undefined ? "" : addressKey(remote.address);
    const known = this.#shares.get(key);
    if (known !== undefined) {
      this.#shares.delete(key);
      this.#shares.set(key, known);
      return known;
    }
    if (this.#shares.size >= MAX_IDLE_ADDRESSES) this.#forgetIdle();
    const share = new AddressShare<C>(this.#limits, now);
    this.#shares.set(key, share);
    return share;
  }

  /** Who has most connections in use. Looks at all of them; only for a relay that is full. */
  largest(): AddressShare<C> | undefined {
    let largest: AddressShare<C> | undefined;
    for (const share of this.#shares.values()) {
      if (share.clients.size > (largest?.clients.size ?? 0)) largest = share;
    }
    return largest;
  }

  /** Forgets who has been away for longest, looking at no more than a few. */
  #forgetIdle(): void {
    let looked = 0;
    for (const [key, share] of this.#shares) {
      this.#shares.delete(key);
      // Who is connected moves to the end, so that the next search does not meet him first.
      if (share.clients.size + share.pending.size > 0) this.#shares.set(key, share);
      if (++looked === 8) return;
    }
  }
}

/** The whole of an IPv4 address, which a dual-stack listener may have mapped, and the /48 of an IPv6 one: one customer's. */
function addressKey(address: Uint8Array): string {
  const ipv4 = address.length === 4 ? address : mappedIpv4(address);
  return ipv4 === undefined ? formatAddress(address.slice().fill(0, 6)) : ipv4.join(".");
}
