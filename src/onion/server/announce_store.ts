import type { PublicKey } from "../../crypto/keys.ts";
import { compareDistance } from "../../dht/distance.ts";
import type { Clock } from "../../env/clock.ts";
import type { DatagramSocket, Endpoint } from "../../env/datagram.ts";
import { isLanAddress, networkNumber } from "../../util/endpoint.ts";
import { KeyMap } from "../../util/key_map.ts";

/** toxcore's ONION_ANNOUNCE_MAX_ENTRIES. */
export const MAX_ANNOUNCE_ENTRIES = 160;
/**
 * What is due to the announcements that come out of one network (/24 or /64), once the store is full. toxcore knows no
 * such limit: one machine that makes up keys next to ours can have every place.
 */
const DUE_TO_A_NETWORK = MAX_ANNOUNCE_ENTRIES / 4;
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
  /** That of the last hop; undefined for a LAN, which is one network and nobody's to crowd. */
  readonly network: number | undefined;
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
    const network = networkOf(announcement);
    if (!this.#entries.has(announcement.publicKey) && !this.#makeRoom(announcement.publicKey, network))
      return undefined;
    const entry: Entry = {
      network,
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

  #makeRoom(newcomer: Uint8Array, network: number | undefined): boolean {
    if (this.#entries.size < MAX_ANNOUNCE_ENTRIES) return true;
    const now = this.#clock.monotonic();
    const sizes = new Map<number | undefined, number>(); // bounded by MAX_ANNOUNCE_ENTRIES
    for (const entry of this.#entries.values()) {
      if (entry.expires <= now) return this.#entries.delete(entry.publicKey);
      if (entry.network !== undefined) sizes.set(entry.network, (sizes.get(entry.network) ?? 0) + 1);
    }
    const isCrowding = (of: number | undefined) => of !== undefined && (sizes.get(of) ?? 0) > DUE_TO_A_NETWORK;
    const hasItsDue = network !== undefined && (sizes.get(network) ?? 0) >= DUE_TO_A_NETWORK;
    const crowding = hasItsDue ? undefined : this.#farthest((entry) => isCrowding(entry.network));
    if (crowding !== undefined) return this.#entries.delete(crowding.publicKey);
    const loser = this.#farthest((entry) => !hasItsDue || entry.network === network);
    if (loser === undefined || compareDistance(this.#center, newcomer, loser.publicKey) >= 0) return false;
    return this.#entries.delete(loser.publicKey);
  }

  #farthest(among: (entry: Entry) => boolean): Entry | undefined {
    let farthest: Entry | undefined;
    for (const entry of this.#entries.values()) {
      if (!among(entry)) continue;
      const isFarther =
        farthest === undefined || compareDistance(this.#center, entry.publicKey, farthest.publicKey) > 0;
      if (isFarther) farthest = entry;
    }
    return farthest;
  }
}

function networkOf({ endpoint }: Announcement): number | undefined {
  return isLanAddress(endpoint.address) ? undefined : networkNumber(endpoint);
}
