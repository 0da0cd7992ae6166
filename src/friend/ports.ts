import type { PublicKey } from "../crypto/keys.ts";
import type { DatagramSocket, Endpoint } from "../env/datagram.ts";
import type { RelayPath } from "../net_crypto/ports.ts";
import type { BulkPacket, CloseReason } from "../net_crypto/session.ts";
import type { FinderFriend, FoundListener, FriendRequestHandler } from "../onion/client/types.ts";
import type { PackedNode } from "../wire/packed_node.ts";

export type { FinderFriend, FoundListener } from "../onion/client/types.ts";

/** What friend connections ask of the onion: to find people and to be found. `OnionClient` has this shape. */
export interface FriendFinder {
  /** Starts to search for a person by long-term key, and to tell him our DHT key. */
  addFriend(publicKey: PublicKey, listener: FoundListener): FinderFriend;
  /** Friend requests that came through the onion: `data` is nospam u32 ‖ message. */
  onFriendRequest(handler: FriendRequestHandler): void;
}

/** What friend connections ask of the DHT: to find the address of a DHT key. `Dht` has this shape. */
export interface FriendLookups {
  /** Starts to look for the node with this key; `onEndpoint` is called for each address it is found at, again when it changes. */
  lookUp(dhtPublicKey: PublicKey, onEndpoint: (endpoint: Endpoint) => void): FriendLookup;
}

export interface FriendLookup {
  /** Nodes that may be near. */
  suggest(nodes: readonly PackedNode[]): void;
  /** Addresses known now, the freshest first. */
  endpoints(): Endpoint[];
  /** What others see his router do: the same port for all, or another one for each. Undefined: not known. */
  seenAs(): { readonly kind: "stable" | "random"; readonly endpoint: Endpoint } | undefined;
  /** There is reason to think that he is gone: he is asked now. */
  doubt(): void;
  stop(): void;
}

/** Sockets beside the instance's own, for punching. `UdpNetwork` has this shape. */
export interface FriendSockets {
  /** So many, or fewer where the system gives no more. */
  openMore(count: number): Promise<DatagramSocket[]>;
  closeSocket(socket: DatagramSocket): void;
}

/** What friend connections ask of TCP relays: ways to a peer. `RelayPool` has this shape. */
export interface FriendRelays {
  /** There are friends, whom we may reach over relays alone. Calling it again does nothing. */
  need(): void;
  /** Looks for ways to the node with this DHT key. */
  routeTo(dhtPublicKey: PublicKey, listener: FriendRouteListener): FriendRoute;
  /** Relays that a friend who is at `at`, if that is known, can reach us over; at most `count`. */
  toShare(count: number, at?: Endpoint): PackedNode[];
}

export interface FriendRouteListener {
  /** The peer can be reached by this path, or can be again. */
  onPath(path: RelayPath): void;
  onLost(path: RelayPath): void;
}

export interface FriendRoute {
  /**
   * Nodes of which those that are TCP relays are the peer's. `from`: where he is, if that is known. `mayTakeNew`: asked for
   * each that he has not named before.
   */
  suggest(nodes: readonly PackedNode[], teller: { readonly from: Endpoint | undefined; mayTakeNew(): boolean }): void;
  /** Whether the peer is reached without relays. */
  direct: boolean;
  stop(): void;
}

/** How urgent a packet of a session is; control packets never wait behind messages. */
export type SendPriority = "control" | "message";

/** What friend connections ask of encrypted sessions. `NetCrypto` has this shape. */
export interface FriendSessions {
  /** Opens a session to a peer. Nothing goes out before an endpoint is added. The listener is never called within this call. */
  connect(peer: PublicKey, dhtPublicKey: PublicKey, listener: FriendSessionListener): FriendSession;
}

export interface FriendSession {
  /** Monotonic time of the last authentic packet. */
  readonly lastReceivedAt: number;
  /** Smoothed; undefined before the first measurement. */
  readonly roundTripMs: number | undefined;
  /** The UDP address that packets go to; undefined over a relay. */
  readonly endpoint: Endpoint | undefined;
  /** An address the peer may be reached at. */
  addEndpoint(endpoint: Endpoint): void;
  /** The socket that packets leave by, where one was chosen. */
  readonly socket: DatagramSocket | undefined;
  /** Says that we are here, to an address that is no path of the session, from one of our sockets. */
  sayAt(endpoint: Endpoint, socket?: DatagramSocket): boolean;
  /** A relay that the peer may be reached over; given again, it is tried again. */
  addRelay(relay: RelayPath): void;
  removeRelay(relay: RelayPath): void;
  /**
   * Sends a packet that arrives, and in order, as long as the session lives. False: the queue is full, nothing was taken;
   * `onWritable` tells when to go on. `onAcknowledged`: the peer's stack has it.
   */
  send(packet: Uint8Array, priority: SendPriority, onAcknowledged?: () => void): boolean;
  sendLossy(packet: Uint8Array): boolean;
  /** See `Session.setBulkSource`. */
  setBulkSource(pull: (() => BulkPacket | undefined) | undefined): void;
  bulkReady(): void;
  /** Ends the session and tells the peer. */
  kill(reason?: "local" | "timeout"): void;
}

/** What a session tells its owner. Packets are valid only inside the call. */
export interface FriendSessionListener {
  onEstablished(session: FriendSession): void;
  onLossless(session: FriendSession, packet: Uint8Array): void;
  onLossy(session: FriendSession, packet: Uint8Array): void;
  /** The session is gone, established or not: timed out, or killed by the peer. Unacknowledged packets are lost. */
  onClosed(session: FriendSession, reason: CloseReason): void;
  onWritable(session: FriendSession): void;
  /** `endpoint` has changed. */
  onPathChange(session: FriendSession): void;
}
