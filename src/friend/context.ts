import type { PublicKey } from "../crypto/keys.ts";
import type { Clock } from "../env/clock.ts";
import type { Logger } from "../env/logger.ts";
import type { Metrics } from "../env/metrics.ts";
import type { Random } from "../env/random.ts";
import type { BulkPacket } from "../net_crypto/session.ts";
import type { Emitter } from "../util/emitter.ts";
import type { Drop } from "../wire/drop.ts";
import type { PunchingOffice } from "./birthday_punch.ts";
import type { BlockList } from "./block_list.ts";
import type { FriendEvents } from "./events.ts";
import type { CallMaker, FileSender, Friend } from "./friend.ts";
import type { FriendRequests } from "./friend_requests.ts";
import type { Message } from "./message.ts";
import type { MessageJournal } from "./message_journal.ts";
import type { PacketHandlers } from "./packet_handlers.ts";
import type { PluggedFloors } from "./plugged_floors.ts";
import type { FriendFinder, FriendLookups, FriendRelays, FriendSessions, SendPriority } from "./ports.ts";
import type { SelfProfile } from "./self_profile.ts";

/** What every friend of one instance shares. */
export interface FriendContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly sessions: FriendSessions;
  readonly finder: FriendFinder;
  readonly lookups: FriendLookups;
  /** None where there is no TCP. */
  readonly relays?: FriendRelays | undefined;
  /** Punching by the birthday bound, for all friends; undefined where it is not wanted. */
  readonly punching?: PunchingOffice | undefined;
  readonly journal: MessageJournal;
  readonly events: Emitter<FriendEvents>;
  readonly profile: SelfProfile;
  readonly requests: FriendRequests;
  readonly handlers: PacketHandlers;
  readonly floors: PluggedFloors;
  /** Plugged in by the facade. */
  fileSender: FileSender | undefined;
  callMaker: CallMaker | undefined;
  readonly drop: Drop;
  /** Messages to all friends that are not settled, by number. At most MAX_QUEUED a friend. */
  readonly queuedMessages: Map<bigint, Message>;
  readonly blocked: BlockList;
  /** A number no other message of the profile has. */
  nextMessageNumber(): bigint;
  isClosed(): boolean;
  /** Blocks the friend, or lets him in again. */
  block(friend: PublicKey, on: boolean): void;
  /** Forgets the friend. */
  remove(friend: Friend): void;
}

/** The way to a friend while a session is established; without one every `send` answers false. */
export interface FriendLink {
  send(packet: Uint8Array, priority: SendPriority, onAcknowledged?: () => void): boolean;
  sendLossy(packet: Uint8Array): boolean;
  /** Of the session there is now. */
  setBulkSource(pull: (() => BulkPacket | undefined) | undefined): void;
  bulkReady(): void;
  /** Ends the session and opens a new one. */
  restart(reason: string): void;
}
