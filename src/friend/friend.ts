import type { PublicKey } from "../crypto/keys.ts";
import type { FileSource } from "../env/file.ts";
import { toHex } from "../util/bytes.ts";
import type { UserStatus } from "../wire/friend/presence.ts";
import type { CallMakerFor, CallOptions, CallWith } from "./call.ts";
import type { FileSenderTo, FileTransferWith, SendFileOptions } from "./file_transfer.ts";
import type { Message } from "./message.ts";

/** A file on its way to a friend, or from him. */
export type FileTransfer = FileTransferWith<Friend>;
/** A call with a friend. */
export type Call = CallWith<Friend>;
export type CallMaker = CallMakerFor<Friend>;
export type FileSender = FileSenderTo<Friend>;

/** How a friend is reached. `none`: offline. */
export type ConnectionState = "none" | "tcp" | "udp";

export interface SendOptions {
  /** "/me" style. */
  readonly action?: boolean | undefined;
  /** Seconds that the message waits at most. Then it is not sent any more, and ends as `expired`. */
  readonly ttl?: number | undefined;
  /** The same as a time, in Unix seconds. Not together with `ttl`. */
  readonly expiresAt?: number | undefined;
}

/** What stands behind the handle. `FriendCore` has this shape. */
export interface FriendBehind {
  readonly publicKey: PublicKey;
  readonly connection: ConnectionState;
  readonly presence: {
    readonly name: string;
    readonly statusMessage: string;
    readonly status: UserStatus;
    readonly typing: boolean;
    readonly lastOnline: number | undefined;
    setSelfTyping(on: boolean): void;
  };
  readonly messages: {
    readonly queued: number;
    pending(): Message[];
    send(text: string, options: SendOptions): Message;
  };
  readonly blocked: boolean;
  block(on: boolean): void;
  /** Throws `closed` or `unknown-friend`. */
  checkUsable(): void;
  sendCustom(packet: Uint8Array): void;
  sendFile(source: FileSource, options: SendFileOptions): FileTransfer;
  call(options: CallOptions): Call;
  remove(): void;
}

/** Somebody in our friend list. There is one handle for each; after `remove` or `close` its methods throw. */
export class Friend {
  readonly #behind: FriendBehind;

  constructor(behind: FriendBehind) {
    this.#behind = behind;
  }

  /** The long-term public key: 64 upper-case hex digits. */
  get publicKey(): string {
    return toHex(this.#behind.publicKey);
  }

  get publicKeyBytes(): PublicKey {
    return this.#behind.publicKey;
  }

  /** Empty until he has told it once. */
  get name(): string {
    return this.#behind.presence.name;
  }

  get statusMessage(): string {
    return this.#behind.presence.statusMessage;
  }

  get status(): UserStatus {
    return this.#behind.presence.status;
  }

  get connection(): ConnectionState {
    return this.#behind.connection;
  }

  /** Whether he is writing to us. */
  get typing(): boolean {
    return this.#behind.presence.typing;
  }

  /** Unix seconds; now when he is here, undefined when he never was, as far as is known. */
  get lastOnline(): number | undefined {
    return this.#behind.presence.lastOnline;
  }

  /** Messages not yet delivered. */
  get queued(): number {
    return this.#behind.messages.queued;
  }

  /** The messages not yet delivered, oldest first; after a restart too, given the same store. */
  outbox(): Message[] {
    return this.#behind.messages.pending();
  }

  /**
   * Sends a message, or keeps it until he is there: 1–1372 bytes of UTF-8. Its promise `stored` tells when the store has it.
   * Throws `message-empty`, `message-too-long`, `invalid-argument` (the expiry), `queue-full` (65,536 messages to him wait
   * already), `unknown-friend`, `closed`.
   */
  send(text: string, options: SendOptions = {}): Message {
    this.#behind.checkUsable();
    return this.#behind.messages.send(text, options);
  }

  /**
   * Whether he is blocked: no session with him, so that he sees us offline as if we had removed him, and nothing of him
   * arrives. What waits for him goes on waiting. See `Tox.block`, which takes the keys of strangers, too.
   */
  get blocked(): boolean {
    return this.#behind.blocked;
  }

  /** Throws `block-list-full`, `unknown-friend`, `closed`. */
  set blocked(on: boolean) {
    this.#behind.checkUsable();
    this.#behind.block(on);
  }

  /** Tells him whether our person is writing. */
  setTyping(on: boolean): void {
    this.#behind.checkUsable();
    this.#behind.presence.setSelfTyping(on);
  }

  /**
   * Sends an app's own packet of 1–1373 bytes, its id first: 160–191 arrives and in order while the session lives,
   * 200–254 may get lost. It overtakes messages that still wait in the queue. Throws `packet-id-reserved`,
   * `packet-too-long`, `friend-offline`, `queue-full`, `invalid-argument`, `unknown-friend`, `closed`.
   */
  sendPacket(bytes: Uint8Array): void {
    this.#behind.checkUsable();
    this.#behind.sendCustom(bytes);
  }

  /**
   * Offers a file, now or when he is there, and sends it when he accepts; goes on where it was after a lost session. What
   * happens is told by the transfer. Throws `queue-full` (256 transfers to him), `name-too-long`, `invalid-argument`,
   * `unknown-friend`, `closed`.
   */
  sendFile(source: FileSource, options: SendFileOptions = {}): FileTransfer {
    this.#behind.checkUsable();
    return this.#behind.sendFile(source, options);
  }

  /**
   * Calls him: it rings at his side until somebody answers, or either hangs up. Throws `friend-offline`, `already-in-call`,
   * `invalid-argument`, `unknown-friend`, `closed`.
   */
  call(options: CallOptions = {}): Call {
    this.#behind.checkUsable();
    return this.#behind.call(options);
  }

  /** Takes him off the list. Messages that wait for him are cancelled. Does nothing the second time. */
  remove(): void {
    this.#behind.remove();
  }
}
