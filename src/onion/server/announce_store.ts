import type { PublicKey } from "../../crypto/keys.ts";
import { compareDistance } from "../../dht/distance.ts";
import type { Clock } from "../../env/clock.ts";
import type { DatagramSocket, Endpoint } from "../../env/datagram.ts";
import { KeyMap } from "../../util/key_map.ts";

/** toxcore's ONION_ANNOUNCE_MAX_ENTRIES. */
export const MAX_ANNOUNCE_ENTRIES = 160;
/** In ms. toxcore's ONION_ANNOUNCE_TIMEOUT. */
export const ANNOUNCE_LIFE = 300 * 1000;

/** Somebody who can be reached over us. */
export interface Announcement {
  readonly publicKey: PublicKey;
  readonly dataPublicKey: PublicKey;
  /** The last hop of his path, and the socket that it reached us at. */
  readonly endpoint: Endpoint;
  readonly socket: DatagramSocket;
  /** His way back, 177 bytes. */
  readonly sendback: Uint8Array;
}

interface Entry extends Announcement {
  readonly expires: number;
}

/** The announcements nearest to our DHT key. What is too old is as good as gone, and makes room when that is needed. */
export class AnnounceStore {
  readonly #clock: Clock;
  readonly #center: PublicKey;
  readonly #entries: KeyMap<Entry>; // bounded by MAX_ANNOUNCE_ENTRIES: the farthest gives way, or the new one is refused

  /** `center`: our DHT key. `seed`: 32 random bits. */
  constructor(clock: Clock, center: PublicKey, seed: number) {
    this.#clock = clock;
    this.#center = center;
    this.#entries = new KeyMap(seed);
  }

  /** Entries held, the old ones included. */
  get size(): number {
    return this.#entries.size;
  }

  get(publicKey: Uint8Array): Announcement | undefined {
    const entry = this.#entries.get(publicKey);
    return entry !== undefined && this.#clock.monotonic() < entry.expires ? entry : undefined;
  }

  /** Keeps a copy, in place of an older one of the same key. Undefined when the store is full of nearer ones. */
  put(announcement: Announcement): Announcement | undefined {
    if (!this.#entries.has(announcement.publicKey) && !this.#makeRoom(announcement.publicKey)) return undefined;
    const entry: Entry = {
      publicKey: announcement.publicKey.slice() as Uint8Array as PublicKey,
      dataPublicKey: announcement.dataPublicKey.slice() as Uint8Array as PublicKey,
      endpoint: announcement.endpoint,
      socket: announcement.socket,
      sendback: announcement.sendback.slice(),
      expires: this.#clock.monotonic() + ANNOUNCE_LIFE,
    };
    this.#entries.set(entry.publicKey, entry);
    return entry;
  }

  clear(): void {
    this.#entries.clear();
  }

  #makeRoom(newcomer: Uint8Array): boolean {
    if (this.#entries.size < MAX_ANNOUNCE_ENTRIES) return true;
    const now = this.#clock.monotonic();
    let farthest: Entry | undefined;
    for (const entry of this.#entries.values()) {
      if (entry.expires <= now) return this.#entries.delete(entry.publicKey);
      if (farthest === undefined || compareDistance(this.#center, entry.publicKey, farthest.publicKey) > 0)
        farthest = entry;
    }
    if (farthest === undefined || compareDistance(this.#center, newcomer, farthest.publicKey) >= 0) return false;
    return this.#entries.delete(farthest.publicKey);
  }
}
