import type { PublicKey } from "../crypto/keys.ts";
import type { Clock } from "../env/clock.ts";
import { sameBytes } from "../util/bytes.ts";
import { MAX_ANNOUNCEMENT_SIZE } from "../wire/dht/data_retrieve.ts";
import { sharedPrefixBits } from "./distance.ts";

/** announce.h ANNOUNCE_BUCKETS and ANNOUNCE_BUCKET_SIZE: room for 256 entries of 512 bytes. */
const BUCKETS = 32;
const BUCKET_BITS = 5;
const BUCKET_SIZE = 8;
/** Seconds: how long an entry may stay, by how long we have been up. */
const SHORTEST_LIMIT = 10;
const LONGEST_LIMIT = 900;
const UPTIME_RATIO = 4;

export interface StoredAnnouncement {
  readonly dataPublicKey: PublicKey;
  readonly data: Uint8Array;
  /** ms on the monotonic clock. */
  storedUntil: number;
}

/** What others have left with us under keys of theirs. c-toxcore `announce.c`. */
export class AnnounceStore {
  readonly #self: PublicKey;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #buckets: StoredAnnouncement[][] = Array.from({ length: BUCKETS }, () => []); // each bounded by BUCKET_SIZE

  constructor(self: PublicKey, clock: Clock) {
    this.#self = self;
    this.#clock = clock;
    this.#startedAt = clock.monotonic();
  }

  get(dataPublicKey: PublicKey): StoredAnnouncement | undefined {
    const found = this.#bucketOf(dataPublicKey).find((entry) => sameBytes(entry.dataPublicKey, dataPublicKey));
    return found !== undefined && this.#isAlive(found) ? found : undefined;
  }

  wouldStore(dataPublicKey: PublicKey): boolean {
    return this.#placeFor(dataPublicKey) >= 0;
  }

  /** Stores a copy for so many seconds. False when there is no place for it. */
  store(dataPublicKey: PublicKey, data: Uint8Array, seconds: number): boolean {
    const place = this.#placeFor(dataPublicKey);
    if (place < 0 || data.length > MAX_ANNOUNCEMENT_SIZE) return false;
    this.#bucketOf(dataPublicKey)[place] = {
      dataPublicKey: dataPublicKey.slice() as PublicKey,
      data: data.slice(),
      storedUntil: this.#clock.monotonic() + 1000 * seconds,
    };
    return true;
  }

  renew(entry: StoredAnnouncement, seconds: number): void {
    entry.storedUntil = this.#clock.monotonic() + 1000 * seconds;
  }

  delete(entry: StoredAnnouncement): void {
    entry.storedUntil = Number.NEGATIVE_INFINITY;
  }

  /** For how many seconds we store what is to be stored for `asked`: the longer we have been up, the longer. */
  grantedSeconds(asked: number): number {
    const uptime = Math.floor((this.#clock.monotonic() - this.#startedAt) / 1000);
    const limit = Math.max(SHORTEST_LIMIT, Math.min(LONGEST_LIMIT, Math.floor(uptime / UPTIME_RATIO)));
    return Math.min(asked, limit);
  }

  #isAlive(entry: StoredAnnouncement): boolean {
    return this.#clock.monotonic() < entry.storedUntil;
  }

  /** Its own place, a free or expired one, or that of the entry farthest from us if that is farther; or -1. */
  #placeFor(dataPublicKey: PublicKey): number {
    const bucket = this.#bucketOf(dataPublicKey);
    const own = bucket.findIndex((entry) => sameBytes(entry.dataPublicKey, dataPublicKey));
    if (own >= 0) return own;
    const expired = bucket.findIndex((entry) => !this.#isAlive(entry));
    if (expired >= 0) return expired;
    if (bucket.length < BUCKET_SIZE) return bucket.length;
    let fewestBits = sharedPrefixBits(this.#self, dataPublicKey);
    let farthest = -1;
    for (const [at, entry] of bucket.entries()) {
      const bits = sharedPrefixBits(this.#self, entry.dataPublicKey);
      if (bits >= fewestBits) continue;
      fewestBits = bits;
      farthest = at;
    }
    return farthest;
  }

  /** By the five bits that follow the first in which the key differs from ours. */
  #bucketOf(dataPublicKey: PublicKey): StoredAnnouncement[] {
    const from = sharedPrefixBits(this.#self, dataPublicKey) + 1;
    const index = bitsAt(this.#self, from) ^ bitsAt(dataPublicKey, from);
    return this.#buckets[index] as StoredAnnouncement[];
  }
}

function bitsAt(key: Uint8Array, from: number): number {
  let bits = 0;
  for (let bit = from; bit < from + BUCKET_BITS; bit++) {
    bits = (bits << 1) | (((key[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1);
  }
  return bits;
}
