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
/** What one relay is answered for those whom we do not expect, whoever it says that they are. */
const PER_RELAY: Allowance = { burst: 20, rate: 10 };
const MAX_RELAYS = 64;
/** What each of them is answered: toxcore asks eight times, a second apart. A key is cheap, but not a connection to the relay. */
const PER_SENDER: Allowance = { burst: 8, rate: 1 };
const MAX_SENDERS = 1024;
/** Networks that are kept apart. A full table forgets the one that asked first: spoofed sources then meet `ALL` alone. */
const MAX_NETWORKS = 1024;

/** Which cookie requests are answered: by source, so that one flooder does not use up what everybody needs. */
export class CookieLimiter {
  readonly #networks = new Map<number, Bucket>(); // bounded by MAX_NETWORKS
  readonly #all: Bucket = { tokens: ALL.burst, filledAt: 0 };
  readonly #friends: KeyMap<Bucket>; // by DHT key, bounded by MAX_FRIENDS: the oldest goes
  readonly #relays: KeyMap<Bucket>; // by their keys, bounded by MAX_RELAYS: the oldest goes
  readonly #senders: KeyMap<Bucket>; // by the DHT key that a relay names, bounded by MAX_SENDERS: the oldest goes

  /** `seed`: 32 random bits. */
  constructor(seed?: number) {
    this.#friends = new KeyMap(seed);
    this.#relays = new KeyMap(seed);
    this.#senders = new KeyMap(seed);
  }

  allows(from: Endpoint, now: number): boolean {
    const lan = isLanAddress(from.address);
    return take(this.#bucketOf(from, now), lan ? PER_LAN : PER_NETWORK, now) && take(this.#all, ALL, now);
  }

  /** For a request that a friend has sealed: even a replayed one uses up no more than his own share. */
  allowsFriend(dhtPublicKey: Uint8Array, now: number): boolean {
    return take(bucketIn(this.#friends, dhtPublicKey, MAX_FRIENDS, now), PER_FRIEND, now);
  }

  /** For a request that a relay brings from somebody unexpected: one of the relay's clients does not use up all the others' share. */
  allowsOverRelay(relay: Uint8Array, dhtPublicKey: Uint8Array, now: number): boolean {
    return (
      take(bucketIn(this.#senders, dhtPublicKey, MAX_SENDERS, now), PER_SENDER, now) &&
      take(bucketIn(this.#relays, relay, MAX_RELAYS, now), PER_RELAY, now) &&
      take(this.#all, ALL, now)
    );
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

/** A new bucket is full once it is taken from. */
function bucketIn(buckets: KeyMap<Bucket>, key: Uint8Array, limit: number, now: number): Bucket {
  const known = buckets.get(key);
  if (known !== undefined) return known;
  const oldest = buckets.size >= limit ? buckets.oldestKey() : undefined;
  if (oldest !== undefined) buckets.delete(oldest);
  const bucket = { tokens: Number.POSITIVE_INFINITY, filledAt: now };
  buckets.set(key, bucket);
  return bucket;
}

function take(bucket: Bucket, allowance: Allowance, now: number): boolean {
  const gained = ((now - bucket.filledAt) / 1000) * allowance.rate;
  bucket.tokens = Math.min(allowance.burst, bucket.tokens + gained);
  bucket.filledAt = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens--;
  return true;
}
