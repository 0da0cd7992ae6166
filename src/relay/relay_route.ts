import type { PublicKey } from "../crypto/keys.ts";
import { sameBytes } from "../util/bytes.ts";
import { KeyMap } from "../util/key_map.ts";
import type { PackedNode } from "../wire/packed_node.ts";
import { PacketId } from "../wire/packet_ids.ts";
import type { RelayClient } from "./relay_client.ts";

/** A way to one peer over one relay. Sessions know it by identity. */
export interface PeerPath {
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
  /** Relays that the peer is said to be at. */
  wants(relays: readonly PackedNode[]): void;
  /** What the route needs has changed. */
  changed(): void;
  stopped(route: RelayRoute): void;
}

/** Relays of a friend that we connect to for his sake. toxcore's MAX_FRIEND_TCP_CONNECTIONS, of which three are shared at once. */
const MAX_WANTED = 6;
const MAX_OOB_SIZE = 1024;

interface Path extends PeerPath {
  readonly client: RelayClient;
  online: boolean;
}

/** All relays over which one peer may be reached. */
export class RelayRoute {
  readonly peer: PublicKey;
  readonly #listener: RouteListener;
  readonly #host: RouteHost;
  readonly #wanted: PublicKey[] = []; // bounded by MAX_WANTED, the oldest goes
  readonly #paths = new KeyMap<Path>(); // by relay; bounded by the connections of the pool
  #isDirect = false;
  #stopped = false;

  constructor(peer: PublicKey, listener: RouteListener, host: RouteHost) {
    this.peer = peer.slice() as Uint8Array as PublicKey;
    this.#listener = listener;
    this.#host = host;
  }

  /** The way back to somebody that we have no route to: only what opens a session is sent by it. */
  static strangersPath(client: RelayClient, peer: PublicKey): PeerPath {
    const key = peer.slice() as Uint8Array as PublicKey;
    return { send: (packet) => sendOver(client, key, packet) };
  }

  /** The peer says, or somebody for him, that he is at these relays. */
  suggest(relays: readonly PackedNode[]): void {
    if (this.#stopped) return;
    const fresh = relays.filter(({ transport }) => transport === "tcp").slice(0, MAX_WANTED);
    for (const { publicKey } of fresh) {
      const known = this.#wanted.findIndex((key) => sameBytes(key, publicKey));
      if (known >= 0) this.#wanted.splice(known, 1);
      this.#wanted.push(publicKey.slice() as Uint8Array as PublicKey);
      if (this.#wanted.length > MAX_WANTED) this.#wanted.shift();
    }
    if (fresh.length === 0) return;
    this.#host.wants(fresh);
    for (const path of this.#paths.values()) if (!path.online && this.#isAt(path)) this.#listener.onPath(path);
  }

  /** Whether the peer is reached without relays: then we do not connect to his for his sake. */
  set direct(isDirect: boolean) {
    if (isDirect === this.#isDirect || this.#stopped) return;
    this.#isDirect = isDirect;
    this.#host.changed();
  }

  /** Whether the relay with this key is worth a connection for this peer's sake. */
  needs(relay: PublicKey): boolean {
    return !this.#isDirect && this.#wanted.some((key) => sameBytes(key, relay));
  }

  /** A relay has become ready: asks it for a way to the peer. */
  offer(client: RelayClient): void {
    if (this.#stopped || !client.requestRoute(this.peer)) return;
    const { peer } = this;
    const path: Path = { client, online: client.isPeerOnline(peer), send: (packet) => sendOver(client, peer, packet) };
    this.#paths.set(client.publicKey, path);
    if (path.online || this.#isAt(path)) this.#listener.onPath(path);
  }

  pathOver(client: RelayClient): PeerPath | undefined {
    const path = this.#paths.get(client.publicKey);
    return path?.client === client ? path : undefined;
  }

  /** A relay says whether the peer is connected to it. */
  peerIs(client: RelayClient, online: boolean): void {
    const path = this.#paths.get(client.publicKey);
    if (path?.client !== client || path.online === online) return;
    path.online = online;
    if (online) this.#listener.onPath(path);
    else this.#listener.onLost(path);
  }

  /** Whether the peer is reached over this connection. */
  isOver(client: RelayClient): boolean {
    const path = this.#paths.get(client.publicKey);
    return path?.client === client && path.online;
  }

  /** The connection to a relay is gone. */
  lost(relay: PublicKey): void {
    const path = this.#paths.get(relay);
    if (path === undefined) return;
    this.#paths.delete(relay);
    this.#listener.onLost(path);
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#paths.clear();
    this.#wanted.length = 0;
    this.#host.stopped(this);
  }

  /** Whether he says that he is there, so that an opening packet may reach him before he asks for the way to us. */
  #isAt(path: Path): boolean {
    return this.#wanted.some((key) => sameBytes(key, path.client.publicKey));
  }
}

function sendOver(client: RelayClient, peer: PublicKey, packet: Uint8Array): boolean {
  if (client.isPeerOnline(peer)) return client.sendTo(peer, packet);
  return isOpening(packet) && client.sendOob(peer, packet);
}

/** What may go to somebody whom the relay does not know to be there. */
function isOpening(packet: Uint8Array): boolean {
  const [id] = packet;
  if (packet.length > MAX_OOB_SIZE) return false;
  return id === PacketId.CookieRequest || id === PacketId.CookieResponse || id === PacketId.CryptoHandshake;
}
