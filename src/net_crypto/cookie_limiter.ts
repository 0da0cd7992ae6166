import type { Endpoint } from "../env/datagram.ts";
import { isLanAddress, networkNumber } from "../util/endpoint.ts";
import { KeyMap } from "../util/key_map.ts";

interface Bucket {
  tokens: number;
  filledAt: number;
}

interface Allowance {
  /** Requests at once. */
  readonly burst: number;
  /** Requests a second in the long run. */
  readonly rate: number;
}

/** What one network (/24 or /64) is answered. toxcore 0.2.22 and later answers so many to the whole world. */
const PER_NETWORK: Allowance = { burst: 20, rate: 10 };
/** Neighbours share an address range with our other instances, bots and tests among them. */
const PER_LAN: Allowance = { burst: 400, rate: 200 };
/** Each costs an X25519 at worst: 500 a second are some 3 % of a core. */
const ALL: Allowance = { burst: 1000, rate: 500 };
/** What each friend who is expected is answered, whatever strangers do. */
const PER_FRIEND: Allowance = { burst: 20, rate: 10 };
const MAX_FRIENDS = 1024;
/** Networks that are kept apart. A full table forgets the one that asked first: spoofed sources then meet `ALL` alone. */
const MAX_NETWORKS = 1024;

/** Which cookie requests are answered: by source, so that one flooder does not use up what everybody needs. */
export class CookieLimiter {
  readonly #networks = new Map<number, Bucket>(); // bounded by MAX_NETWORKS
  readonly #all: Bucket = { tokens: ALL.burst, filledAt: 0 };
  readonly #friends: KeyMap<Bucket>; // by DHT key, bounded by MAX_FRIENDS: the oldest goes

  /** `seed`: 32 random bits. */
  constructor(seed?: number) {
    this.#friends = new KeyMap(seed);
  }

  allows(from: Endpoint, now: number): boolean {
    const lan = isLanAddress(from.address);
    return take(this.#bucketOf(from, now), lan ? PER_LAN : PER_NETWORK, now) && take(this.#all, ALL, now);
  }

  /** For a request that a friend has sealed: even a replayed one uses up no more than his own share. */
  allowsFriend(dhtPublicKey: Uint8Array, now: number): boolean {
    let bucket = this.#friends.get(dhtPublicKey);
    if (bucket === undefined) {
      const oldest = this.#friends.size >= MAX_FRIENDS ? this.#friends.oldestKey() : undefined;
      if (oldest !== undefined) this.#friends.delete(oldest);
      bucket = { tokens: PER_FRIEND.burst, filledAt: now };
      this.#friends.set(dhtPublicKey, bucket);
    }
    return take(bucket, PER_FRIEND, now);
  }

  #bucketOf(from: Endpoint, now: number): Bucket {
    const network = networkNumber(from);
    const known = this.#networks.get(network);
    if (known !== undefined) return known;
    if (this.#networks.size >= MAX_NETWORKS) {
      for (const oldest of this.#networks.keys()) {
        this.#networks.delete(oldest);
        break;
      }
    }
    const bucket = { tokens: Number.POSITIVE_INFINITY, filledAt: now };
    this.#networks.set(network, bucket);
    return bucket;
  }
}

function take(bucket: Bucket, allowance: Allowance, now: number): boolean {
  const gained = ((now - bucket.filledAt) / 1000) * allowance.rate;
  bucket.tokens = Math.min(allowance.burst, bucket.tokens + gained);
  bucket.filledAt = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens--;
  return true;
}
