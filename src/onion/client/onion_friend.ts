import { type KeyPair, PUBLIC_KEY_SIZE, type PublicKey } from "../../crypto/keys.ts";
import type { SharedKeyCache } from "../../crypto/shared_key_cache.ts";
import type { Metrics } from "../../env/metrics.ts";
import { sameBytes } from "../../util/bytes.ts";
import type { Drop } from "../../wire/drop.ts";
import {
  type DhtPublicKeyPacket,
  encodeDhtPublicKeyPacket,
  encodeSealedDhtPublicKey,
  MAX_DHT_PUBLIC_KEY_PACKET_SIZE,
} from "../../wire/onion/dht_public_key.ts";
import { MAX_ONION_DATA_PAYLOAD_SIZE, OnionDataId } from "../../wire/onion/onion_data.ts";
import { buildOnionRequest } from "../path_packet.ts";
import { Alarm } from "./alarm.ts";
import type { AnnounceTarget } from "./announce_targets.ts";
import { haveAgreed, trustedTargets } from "./data_key_agreement.ts";
import { FriendSearch, type SearchEnvironment } from "./friend_search.ts";
import { FriendTeller } from "./friend_teller.ts";
import { type SealedData, sealData, wrapData } from "./onion_data.ts";
import { SEARCH_TARGETS } from "./search_pace.ts";
import type { FinderFriend, FoundListener } from "./types.ts";

export interface FriendEnvironment extends SearchEnvironment {
  readonly metrics: Metrics;
  readonly self: KeyPair;
  readonly selfShared: SharedKeyCache;
}

/** Something for the friend, and the announce nodes that were given it so far. Those found later get it too, up to a number. */
interface Parcel {
  readonly data: SealedData;
  readonly givenTo: Set<AnnounceTarget>; // bounded by `enough` and the targets there are at once
  readonly enough: number;
}

/** Our DHT key is told again soon, so that a few nodes will do. */
const ENOUGH_FOR_KEY = 4;
/** A request is not sent again so soon. */
const ENOUGH_FOR_REQUEST = SEARCH_TARGETS;

/** Packets get lost, and nobody acknowledges this one: it is told so often, so many ms apart. */
const NEWS_TELLS = 3;
const NEWS_INTERVAL = 3_000;

/** One person to find and to tell where we are. */
export class OnionFriend implements FinderFriend {
  readonly publicKey: PublicKey;
  readonly #env: FriendEnvironment;
  readonly #listener: FoundListener;
  readonly #onRemove: () => void;
  readonly #search: FriendSearch;
  readonly #teller: FriendTeller;
  readonly #grace: Alarm;
  readonly #news: Alarm;
  #newsLeft = 0;
  #online = false;
  #reachable = false;
  #removed = false;
  #awake = false;
  #dhtPublicKey: PublicKey | undefined;
  #sentNoReplay = 0n;
  #takenNoReplay = 0n;
  #highestNoReplay = 0n;
  #lastKey: Parcel | undefined;
  #lastRequest: Parcel | undefined;

  constructor(env: FriendEnvironment, publicKey: PublicKey, listener: FoundListener, onRemove: () => void) {
    this.#env = env;
    this.publicKey = publicKey;
    this.#listener = listener;
    this.#onRemove = onRemove;
    this.#search = new FriendSearch(env, publicKey, () => this.#onProgress());
    this.#teller = new FriendTeller(env.clock, {
      overOnion: (insistent) => this.#tellOverOnion(insistent),
      overDht: () => this.#tellOverDht(),
    });
    this.#grace = new Alarm(env.clock, () => this.#becomeReachable());
    this.#news = new Alarm(env.clock, () => this.#tellNews());
  }

  /** The network is there, or no longer. */
  setAwake(awake: boolean): void {
    if (awake === this.#awake || this.#removed) return;
    this.#awake = awake;
    this.#update();
  }

  setOnline(online: boolean): void {
    if (online === this.#online || this.#removed) return;
    this.#online = online;
    this.#search.oneSided = false;
    if (!online) this.#takenNoReplay = 0n; // as toxcore: a clock that was set back must not shut him out
    this.#update();
  }

  /** There is reason to believe that what was in vain until now is not any more. */
  hurry(): void {
    if (!this.#searching) return;
    if (this.#reachable) this.#teller.again();
    else this.#search.hurry();
  }

  /** Others can reach us where they could not before. */
  tellNews(): void {
    if (this.#searching) {
      this.hurry();
      return;
    }
    this.#newsLeft = NEWS_TELLS;
    this.#tellNews();
  }

  setDhtPublicKey(dhtPublicKey: PublicKey): void {
    if (this.#removed || !this.#learn(dhtPublicKey)) return;
    if (this.#searching) this.#teller.startDht();
  }

  sendFriendRequest(data: Uint8Array): number {
    if (this.#removed || 1 + data.length > MAX_ONION_DATA_PAYLOAD_SIZE) return 0;
    const payload = new Uint8Array(1 + data.length);
    payload[0] = OnionDataId.FriendRequest;
    payload.set(data, 1);
    this.#search.oneSided = true; // whoever is asked for friendship does not know us yet
    this.#lastRequest = this.#parcel(payload, ENOUGH_FOR_REQUEST);
    const sent = this.#give(this.#lastRequest, trustedTargets(this.#search.stored(), false));
    if (sent === 0) this.#reachable = false; // what was known has grown old: `onReachable` says when to try again
    return sent;
  }

  remove(): void {
    if (this.#removed) return;
    this.#awake = false;
    this.#update();
    this.#removed = true;
    this.#search.close();
    this.#onRemove();
  }

  /** Takes what he says about his DHT key; who says so has been proven by then. */
  take(packet: DhtPublicKeyPacket, drop: Drop): void {
    // Only what was never told before may say that a friend who is there has begun anew: it ends his session.
    if (packet.noReplay <= (this.#online ? this.#highestNoReplay : this.#takenNoReplay)) {
      drop("replayed");
      return;
    }
    this.#takenNoReplay = packet.noReplay;
    this.#search.oneSided = false;
    if (packet.noReplay > this.#highestNoReplay) this.#highestNoReplay = packet.noReplay;
    const isNew = this.#learn(packet.dhtPublicKey);
    for (const node of packet.nodes) if (node.transport !== "tcp") this.#env.ways.considerNode(node);
    const dhtPublicKey = this.#dhtPublicKey;
    if (dhtPublicKey !== undefined) this.#listener.onDhtPublicKey(dhtPublicKey, packet.nodes);
    // a new key from somebody who is online: he has restarted, and cannot know our address yet
    if (this.#searching || (isNew && this.#awake && !this.#removed)) this.#teller.answer(isNew);
    if (this.#online) this.#teller.rest();
    else if (this.#searching && (isNew || !this.#reachable)) this.#search.hurry();
  }

  get #searching(): boolean {
    return this.#awake && !this.#online && !this.#removed;
  }

  #update(): void {
    this.#news.set(undefined);
    this.#grace.set(undefined);
    this.#reachable = false;
    this.#lastKey = undefined;
    this.#lastRequest = undefined;
    this.#teller.rest();
    if (!this.#searching) {
      this.#search.rest();
      return;
    }
    this.#search.start();
    if (this.#dhtPublicKey !== undefined) this.#teller.startDht();
  }

  /** To a friend who is online, but perhaps not over the best way. */
  #tellNews(): void {
    if (!this.#online || !this.#awake || this.#removed || this.#newsLeft === 0) return;
    this.#tellOverDht();
    this.#newsLeft--;
    this.#news.set(this.#env.clock.monotonic() + NEWS_INTERVAL);
  }

  #learn(dhtPublicKey: PublicKey): boolean {
    if (this.#dhtPublicKey !== undefined && sameBytes(this.#dhtPublicKey, dhtPublicKey)) return false;
    this.#dhtPublicKey = dhtPublicKey.slice() as Uint8Array as PublicKey;
    return true;
  }

  /** Waits a moment for a second node to name the same data key, unless no more answers are to come. */
  #onProgress(): void {
    const stored = this.#search.stored();
    if (stored.length === 0) {
      this.#grace.set(undefined);
      this.#reachable = false;
      this.#teller.stopOnion();
    } else if (this.#reachable) {
      this.#giveToLatecomers(stored);
    } else if (haveAgreed(stored) || !this.#search.waiting) {
      this.#becomeReachable();
    } else if (!this.#grace.pending) {
      this.#grace.set(this.#env.clock.monotonic() + this.#env.requests.patience / 2);
    }
  }

  #becomeReachable(): void {
    this.#grace.set(undefined);
    if (this.#reachable || !this.#searching || !this.#search.found) return;
    this.#reachable = true;
    // a friend request that waits goes first: before it, our DHT key means nothing to him
    this.#listener.onReachable?.();
    if (this.#searching) this.#teller.startOnion();
  }

  #tellOverOnion(insistent: boolean): number {
    this.#lastKey = this.#parcel(this.#dhtKeyPayload(), ENOUGH_FOR_KEY);
    return this.#give(this.#lastKey, trustedTargets(this.#search.stored(), insistent));
  }

  #giveToLatecomers(stored: readonly AnnounceTarget[]): void {
    for (const parcel of [this.#lastRequest, this.#lastKey]) {
      if (parcel === undefined || parcel.givenTo.size >= parcel.enough) continue;
      this.#give(
        parcel,
        trustedTargets(stored, false).filter((target) => !parcel.givenTo.has(target)),
      );
    }
  }

  #tellOverDht(): number {
    const sharedKey = this.#env.selfShared.get(this.publicKey);
    if (this.#dhtPublicKey === undefined || sharedKey === undefined) return 0;
    const nonce = this.#env.crypto.nonce();
    const box = this.#env.crypto.seal(this.#dhtKeyPayload(), nonce, sharedKey);
    const packet = new Uint8Array(PUBLIC_KEY_SIZE + nonce.length + box.length);
    encodeSealedDhtPublicKey(packet, { sender: this.#env.self.publicKey, nonce, box });
    return this.#env.ways.sendDhtRequest(this.#dhtPublicKey, OnionDataId.DhtPublicKey, packet);
  }

  #dhtKeyPayload(): Uint8Array {
    const { ways, clock } = this.#env;
    const wall = BigInt(clock.wall());
    this.#sentNoReplay = wall > this.#sentNoReplay ? wall : this.#sentNoReplay + 1n;
    const payload = new Uint8Array(MAX_DHT_PUBLIC_KEY_PACKET_SIZE);
    const length = encodeDhtPublicKeyPacket(payload, {
      noReplay: this.#sentNoReplay,
      dhtPublicKey: ways.keyPair.publicKey,
      nodes: ways.nodesAroundUs(),
    });
    return payload.subarray(0, length);
  }

  #parcel(payload: Uint8Array, enough: number): Parcel | undefined {
    const { crypto, self, selfShared } = this.#env;
    const data = sealData(crypto, self.publicKey, selfShared, this.publicKey, payload);
    return data && { data, givenTo: new Set(), enough };
  }

  /** Answers to how many of the targets it went. */
  #give(parcel: Parcel | undefined, targets: readonly AnnounceTarget[]): number {
    const { crypto, paths, ways, clock, metrics } = this.#env;
    if (parcel === undefined) return 0;
    const now = clock.monotonic();
    let sent = 0;
    for (const target of targets) {
      const path = paths.takeProven(target.node, now);
      const request = target.dataKey && wrapData(crypto, this.publicKey, target.dataKey, parcel.data);
      if (path === undefined || request === undefined) continue;
      const packet = buildOnionRequest(crypto, path.keys, target.node.endpoint, request);
      if (!ways.send(path.keys, packet)) continue;
      parcel.givenTo.add(target);
      metrics.count("onion.dataRequest.sent");
      sent++;
    }
    return sent;
  }
}
