import type { BulkPacket } from "../net_crypto/session.ts";
import type { Friend } from "./friend.ts";
import type { SendPriority } from "./ports.ts";

/** The way to one friend for floors above, while he is online; at other times every `send` answers false. */
export interface FriendPipe {
  readonly online: boolean;
  /** What the peer, being one of ours, said that he can; 0 before he has, and with others. */
  readonly capabilities: number;
  /** False: the queue is full, and `writable` follows. */
  send(packet: Uint8Array, priority: SendPriority, onAcknowledged?: () => void): boolean;
  /** Sends a packet at once and only once, if it can leave now. */
  sendLossy(packet: Uint8Array): boolean;
  /** Of the session, smoothed; undefined before the first measurement. */
  readonly roundTripMs: number | undefined;
  /** See `Session.setBulkSource`. It holds for this session only, and ends with it. */
  setBulkSource(pull: (() => BulkPacket | undefined) | undefined): void;
  bulkReady(): void;
}

/** A floor above that has something in the sessions of friends. */
export interface FriendFloor {
  /** He is online: packets reach him from here on. */
  up(friend: Friend, pipe: FriendPipe): void;
  /** Nothing that is unacknowledged will be. */
  down(friend: Friend): void;
  /** There is room again after a `send` was refused. */
  writable(friend: Friend): void;
  /** Bits that the floor adds to our hello. */
  readonly capabilities?: number;
  /** A packet of our extension that nobody below knows. Answers whether it is this floor's. */
  extension?(friend: Friend, packet: Uint8Array): boolean;
  /** He is no friend any more. `down` came before. */
  removed(friend: Friend): void;
}

/** The floors above, in the order they plugged in. */
export class PluggedFloors implements FriendFloor {
  readonly #floors = new Set<FriendFloor>(); // a few, by the facade

  add(floor: FriendFloor): void {
    this.#floors.add(floor);
  }

  get capabilities(): number {
    let bits = 0;
    for (const floor of this.#floors) bits |= floor.capabilities ?? 0;
    return bits;
  }

  extension(friend: Friend, packet: Uint8Array): boolean {
    for (const floor of this.#floors) if (floor.extension?.(friend, packet)) return true;
    return false;
  }

  up(friend: Friend, pipe: FriendPipe): void {
    for (const floor of this.#floors) floor.up(friend, pipe);
  }

  down(friend: Friend): void {
    for (const floor of this.#floors) floor.down(friend);
  }

  writable(friend: Friend): void {
    for (const floor of this.#floors) floor.writable(friend);
  }

  removed(friend: Friend): void {
    for (const floor of this.#floors) floor.removed(friend);
  }
}
