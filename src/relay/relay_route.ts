import type { PublicKey } from "../crypto/keys.ts";
import type { Cancel, Clock } from "../env/clock.ts";
import type { Endpoint } from "../env/datagram.ts";
import { sameBytes } from "../util/bytes.ts";
import { KeyMap } from "../util/key_map.ts";
import { TokenBucket } from "../util/token_bucket.ts";
import type { PackedNode } from "../wire/packed_node.ts";
import { PacketId } from "../wire/packet_ids.ts";
import type { RelayClient } from "./relay_client.ts";
import type { RelayTeller } from "./told_relays.ts";

/** A way to one peer over one relay. Sessions know it by identity. */
export interface PeerPath {
  /** The relay's key. */
  readonly relay: PublicKey;
  /** False when the relay cannot take it now, or has no way to the peer. The bytes are copied. */
  send(packet: Uint8Array): boolean;
}

export interface RouteListener {
  /** The peer can be reached by this path; called again when it can be after it could not. */
  onPath(path: PeerPath): void;
  onLost(path: PeerPath): void;
}

/** What a route asks of the pool. */
export interface RouteHost {
  readonly clock: Clock;
  /** Whether we may connect to a relay on the word of somebody who is there. */
  mayConnectTo(relay: Endpoint, from: Endpoint | undefined): boolean;
  /** Whether we know the relay to be there, or where it is by the app's word. */
  knows(relay: PackedNode): boolean;
  /** Relays that the peer is said to be at. */
  wants(relays: readonly PackedNode[]): void;
  /** What the route needs has changed. */
  changed(): void;
  stopped(route: RelayRoute): void;
}

/** Relays of a friend that we connect to for his sake. toxcore's MAX_FRIEND_TCP_CONNECTIONS, of which three are shared at once. */
const MAX_WANTED = 6;
const MAX_OOB_SIZE = 1024;
/** A friend who is reached directly may fall back soon: his relays are kept for so many ms. */
const LINGER = 30_000;
/** A peer who comes to a relay is tried by that way: so many times at once, and once in so many ms in the long run. */
const COMINGS = 8;
const COMING_MS = 2_000;

interface Offer {
  readonly client: RelayClient;
  readonly path: PeerPath;
  /** What the listener knows. */
  online: boolean;
  readonly comings: TokenBucket;
}

/** All relays over which one peer may be reached, for one who wants to reach him. */
export class RelayRoute {
  readonly peer: PublicKey;
  readonly #listener: RouteListener;
  readonly #host: RouteHost;
  readonly #wanted: PublicKey[] = []; // bounded by MAX_WANTED, the oldest goes
  readonly #offers = new KeyMap<Offer>(); // by relay; bounded by the connections of the pool
  #directSince: number | undefined;
  #cancelComing: Cancel | undefined;
  #stopped = false;

  constructor(peer: PublicKey, listener: RouteListener, host: RouteHost) {
    this.peer = peer.slice() as Uint8Array as PublicKey;
    this.#listener = listener;
    this.#host = host;
  }

  /** The peer says, or somebody for him, that he is at these relays. */
  suggest(relays: readonly PackedNode[], teller: RelayTeller = ANYBODY): void {
    if (this.#stopped) return;
    const fresh: PackedNode[] = [];
    for (const relay of relays) {
      if (relay.transport !== "tcp" || fresh.length === MAX_WANTED) continue;
      if (this.#host.mayConnectTo(relay.endpoint, teller.from) && this.#want(relay, teller)) fresh.push(relay);
    }
    if (fresh.length === 0) return;
    this.#host.wants(fresh);
    for (const { client, path, online } of [...this.#offers.values()]) {
      if (!online && fresh.some(({ publicKey }) => sameBytes(publicKey, client.publicKey))) this.#tell(path);
    }
  }

  /** Whether the peer is reached without relays: then we do not connect to his for his sake. */
  set direct(isDirect: boolean) {
    if (isDirect === (this.#directSince !== undefined) || this.#stopped) return;
    this.#directSince = isDirect ? this.#host.clock.monotonic() : undefined;
    this.#host.changed();
  }

  /** Whether the relay with this key is worth a connection for this peer's sake. */
  needs(relay: PublicKey, now: number): boolean {
    return (this.needsUntil ?? now + 1) > now && this.#isAt(relay);
  }

  /** Whether the peer says that he is at this relay. */
  names(relay: PublicKey): boolean {
    return this.#isAt(relay);
  }

  /** Whether a connection to this relay serves it. */
  hasOffer(relay: PublicKey): boolean {
    return this.#offers.has(relay);
  }

  /** When his relays are no longer needed, if that is so. */
  get needsUntil(): number | undefined {
    return this.#directSince === undefined ? undefined : this.#directSince + LINGER;
  }

  /** A relay has become ready, and was asked for a way to the peer: this one. */
  offer(client: RelayClient, path: PeerPath): void {
    if (this.#stopped) return;
    const online = client.isPeerOnline(this.peer);
    const comings = new TokenBucket(COMINGS, COMING_MS);
    this.#offers.set(client.publicKey, { client, path, online, comings });
    if (online || this.#isAt(client.publicKey)) this.#tell(path);
  }

  /** A relay says whether the peer is connected to it. One that cannot make up its mind is believed at leisure. */
  peerIs(client: RelayClient, online: boolean): void {
    const offer = this.#offers.get(client.publicKey);
    if (offer?.client !== client || offer.online === online) return;
    if (online) {
      this.#come(offer);
      return;
    }
    offer.online = false;
    this.#listener.onLost(offer.path);
  }

  /** Whether the peer is reached over this connection. */
  isOver(client: RelayClient): boolean {
    const offer = this.#offers.get(client.publicKey);
    return offer?.client === client && offer.online;
  }

  /** The connection to a relay is gone. */
  lost(client: RelayClient): void {
    const offer = this.#offers.get(client.publicKey);
    if (offer?.client !== client) return;
    this.#offers.delete(client.publicKey);
    this.#listener.onLost(offer.path);
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cancelComing?.();
    this.#offers.clear();
    this.#wanted.length = 0;
    this.#host.stopped(this);
  }

  #want(relay: PackedNode, teller: RelayTeller): boolean {
    const { publicKey } = relay;
    const known = this.#wanted.findIndex((key) => sameBytes(key, publicKey));
    // Another address of a relay that we know is another place to connect to.
    if ((known < 0 || !this.#host.knows(relay)) && !teller.mayTakeNew()) return false;
    if (known >= 0) this.#wanted.splice(known, 1);
    this.#wanted.push(publicKey.slice() as Uint8Array as PublicKey);
    if (this.#wanted.length > MAX_WANTED) this.#wanted.shift();
    return true;
  }

  #come(offer: Offer): void {
    const { clock } = this.#host;
    const now = clock.monotonic();
    if (offer.comings.take(now)) {
      offer.online = true;
      this.#tell(offer.path);
      return;
    }
    this.#cancelComing ??= clock.at(now + COMING_MS, () => {
      this.#cancelComing = undefined;
      for (const waiting of [...this.#offers.values()]) {
        if (!waiting.online && waiting.client.isPeerOnline(this.peer)) this.#come(waiting);
      }
    });
  }

  #tell(path: PeerPath): void {
    if (!this.#stopped) this.#listener.onPath(path);
  }

  /** Whether he says that he is there, so that an opening packet may reach him before he asks for the way to us. */
  #isAt(relay: PublicKey): boolean {
    return this.#wanted.some((key) => sameBytes(key, relay));
  }
}

/** The way to a peer over this connection, whether he asks for one to us or not. */
export function pathOver(client: RelayClient, peer: PublicKey): PeerPath {
  const key = peer.slice() as Uint8Array as PublicKey;
  return { relay: client.publicKey, send: (packet) => sendOver(client, key, packet) };
}

function sendOver(client: RelayClient, peer: PublicKey, packet: Uint8Array): boolean {
  if (client.isPeerOnline(peer)) return client.sendTo(peer, packet);
  return isOpening(packet) && client.sendOob(peer, packet);
}

/** What may go to somebody, or come from somebody, whom the relay does not know to be there: what opens a session. */
export function isOpening(packet: Uint8Array): boolean {
  const [id] = packet;
  if (packet.length > MAX_OOB_SIZE) return false;
  return id === PacketId.CookieRequest || id === PacketId.CookieResponse || id === PacketId.CryptoHandshake;
}

const ANYBODY: RelayTeller = { from: undefined, mayTakeNew: () => true };
