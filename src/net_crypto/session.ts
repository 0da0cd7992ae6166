import type { PublicKey } from "../crypto/keys.ts";
import type { DatagramSocket, Endpoint } from "../env/datagram.ts";
import type { RelayPath } from "./ports.ts";

/**
 * `cookie`: asking for a cookie. `handshake`: ours is sent. `unconfirmed`: keys agreed, but nothing decrypted yet.
 * `established`: packets flow. `closed`: over; every method is then without effect.
 */
export type SessionState = "cookie" | "handshake" | "unconfirmed" | "established" | "closed";

/**
 * `killed`: the peer said so. `timeout`: the owner found that nothing came any more. `replaced`: the peer began anew, and
 * `onIncoming` follows. `handshake-failed`: nobody answered. `local`: we ended it.
 */
export type CloseReason = "killed" | "timeout" | "replaced" | "handshake-failed" | "local";

/** Whom messages overtake: control goes before lossy packets, those before messages, and bulk comes last. */
export type LosslessClass = "control" | "message";

/** Its bytes, or those and who hears that the peer's stack has them. */
export type BulkPacket = Uint8Array | { readonly data: Uint8Array; readonly onAcknowledged: () => void };

export interface Session {
  /** The peer's long-term key. */
  readonly peer: PublicKey;
  readonly dhtPublicKey: PublicKey;
  readonly state: SessionState;
  /** The UDP address that packets go to: confirmed once the session is established. Undefined over a relay. */
  readonly endpoint: Endpoint | undefined;
  /** Smoothed, in ms; undefined before the first measurement. */
  readonly roundTripMs: number | undefined;
  /** Monotonic ms of the last authentic packet; minus infinity before the first. Who waits in vain calls `kill("timeout")`. */
  readonly lastReceivedAt: number;
  /** Lossless packets accepted by `send` and not yet acknowledged. */
  readonly sendQueueLength: number;

  /**
   * An address to try. Before the handshake each gets cookie requests; later it is bound beside the others, and used when
   * the path in use falls silent.
   */
  addEndpoint(endpoint: Endpoint): void;
  /** The socket that packets leave by, where one was chosen: the one that the peer was last heard on. */
  readonly socket: DatagramSocket | undefined;
  /**
   * Sends an empty request to an address that is no path of the session, from one of our sockets: whoever holds the session's
   * keys there answers. False when it cannot leave now.
   */
  sayAt(endpoint: Endpoint, socket?: DatagramSocket): boolean;
  addRelay(relay: RelayPath): void;
  removeRelay(relay: RelayPath): void;

  /**
   * Queues a lossless packet of 1 to 1,373 bytes, of which the first is an id from 16 to 191. The bytes are copied. False
   * when the queue is full (`onWritable` follows) or the session not established. `onAcknowledged` is called once the peer's stack has
   * the packet and all before it. Throws `packet-too-long` and `packet-id-reserved`.
   */
  send(packet: Uint8Array, cls: LosslessClass, onAcknowledged?: () => void): boolean;
  /** Sends a packet with an id from 192 to 254 at once and only once. False when it cannot leave now. Throws as `send`. */
  sendLossy(packet: Uint8Array): boolean;
  /**
   * Where lossless bulk packets come from: asked for one at a time when nothing else waits and there is room, so that they
   * never queue here. The bytes belong to the session until they are acknowledged. Answer undefined when there is nothing,
   * and call `bulkReady` when there is again.
   */
  setBulkSource(pull: (() => BulkPacket | undefined) | undefined): void;
  bulkReady(): void;
  /** Ends the session and tells the peer. `onClosed` is called within. */
  kill(reason?: "local" | "timeout"): void;
}

/** Called as things happen; one that throws goes to the logger. `packet` is valid only until the handler returns. */
export interface SessionListener {
  onEstablished(session: Session): void;
  /** Each packet once, in the order they were sent. */
  onLossless(session: Session, packet: Uint8Array): void;
  onLossy(session: Session, packet: Uint8Array): void;
  onClosed(session: Session, reason: CloseReason): void;
  /** After `send` has answered false for a full queue: there is room again. */
  onWritable?(session: Session): void;
  /** `endpoint` has changed. */
  onPathChange?(session: Session): void;
}
