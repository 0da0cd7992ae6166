import type { Endpoint } from "../env/datagram.ts";
import { readU32 } from "../util/bytes.ts";
import { isLanAddress } from "../util/endpoint.ts";

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
/** Networks that are kept apart. A full table forgets the one that asked first: spoofed sources then meet `ALL` alone. */
const MAX_NETWORKS = 1024;

/** Which cookie requests are answered: by source, so that one flooder does not use up what everybody needs. */
export class CookieLimiter {
  readonly #networks = new Map<number, Bucket>(); // bounded by MAX_NETWORKS
  readonly #all: Bucket = { tokens: ALL.burst, filledAt: 0 };

  allows(from: Endpoint, now: number): boolean {
    const lan = isLanAddress(from.address);
    return take(this.#bucketOf(from, now), lan ? PER_LAN : PER_NETWORK, now) && take(this.#all, ALL, now);
  }

  #bucketOf(from: Endpoint, now: number): Bucket {
    const network = networkOf(from);
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

/** A number for the /24 or /64 that an address is in. */
function networkOf({ family, address }: Endpoint): number {
  if (family === 4) return readU32(address, 0) >>> 8;
  return 0x100_0000 + readU32(address, 0) * 0x10_0000 + (readU32(address, 4) & 0xf_ffff);
}
