import type { Clock } from "../env/clock.ts";
import type { Logger } from "../env/logger.ts";
import type { FileFailure, FileKind, FileOutcome, FileState, FileTransferEvents } from "../friend/file_transfer.ts";
import type { FileTransfer, Friend } from "../friend/friend.ts";
import { toHex } from "../util/bytes.ts";
import { Emitter, type Unsubscribe } from "../util/emitter.ts";
import type { FileControlKind } from "../wire/friend/file_control.ts";
import type { FileDigest } from "./file_digest.ts";
import { kindOf } from "./kinds.ts";
import { RateMeter } from "./rate.ts";

/** Between two `progress` events, in ms. */
const PROGRESS_INTERVAL = 100;

/** What a transfer asks of those who have the friend's slots. */
export interface TransferHost {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Tells the peer, if the transfer has a slot. */
  control(transfer: Transfer, control: FileControlKind, position?: number): void;
  /** The peer may use its slot for another. */
  slotFree(transfer: Transfer): void;
  /** It is over: its slot is free. */
  over(transfer: Transfer): void;
  /** What is kept of it for a restart has changed. */
  changed(): void;
  /** A digest, where the peer has one too and both compare. */
  digest(transfer: Transfer): FileDigest | undefined;
}

export interface TransferFacts {
  readonly friend: Friend;
  readonly fileId: Uint8Array;
  readonly kind: number;
  readonly name: string;
  /** Undefined: not known. */
  readonly size: number | undefined;
}

/** What both directions have in common: its state, who has paused it, and who is told. */
export abstract class Transfer implements FileTransfer {
  abstract readonly direction: "send" | "receive";
  readonly friend: Friend;
  readonly fileIdBytes: Uint8Array;
  readonly kindNumber: number;
  readonly name: string;
  /** Its number in the session there is; undefined without one. */
  slot: number | undefined;
  protected readonly host: TransferHost;
  /** All has come over; what is left happens here. */
  protected finishing = false;
  #size: number | undefined;
  readonly #events: Emitter<FileTransferEvents>;
  readonly #rate: RateMeter;
  readonly #done = Promise.withResolvers<FileOutcome>();
  #outcome: FileOutcome | undefined;
  #accepted = false;
  #pausedByUs = false;
  #pausedByThem = false;
  #bytes = 0;
  #announced: FileState = "offered";
  #progressAt = Number.NEGATIVE_INFINITY;
  #startedAt: number | undefined;
  #endedAt: number | undefined;

  constructor(host: TransferHost, facts: TransferFacts) {
    this.host = host;
    this.friend = facts.friend;
    this.fileIdBytes = facts.fileId.slice();
    this.kindNumber = facts.kind;
    this.name = facts.name;
    this.#size = facts.size;
    this.#events = new Emitter<FileTransferEvents>(host.logger);
    this.#rate = new RateMeter(host.clock.monotonic());
  }

  get id(): string {
    return `${this.direction}-${this.fileId}`;
  }

  get fileId(): string {
    return toHex(this.fileIdBytes);
  }

  get kind(): FileKind {
    return kindOf(this.kindNumber);
  }

  get size(): number | undefined {
    return this.#size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get state(): FileState {
    if (this.#outcome) return this.#outcome.state;
    if (!this.#accepted) return "offered";
    if (this.finishing) return "active";
    if (this.slot === undefined) return "interrupted";
    return this.pausedBy === undefined ? "active" : "paused";
  }

  get pausedBy(): "us" | "them" | "both" | undefined {
    if (this.#pausedByUs) return this.#pausedByThem ? "both" : "us";
    return this.#pausedByThem ? "them" : undefined;
  }

  get rate(): number {
    return this.state === "active" ? this.#rate.value : 0;
  }

  get secondsLeft(): number | undefined {
    const { rate } = this;
    return this.#size === undefined || rate === 0 ? undefined : (this.#size - this.#bytes) / rate;
  }

  get seconds(): number {
    if (this.#startedAt === undefined) return 0;
    return ((this.#endedAt ?? this.host.clock.monotonic()) - this.#startedAt) / 1000;
  }

  get done(): Promise<FileOutcome> {
    return this.#done.promise;
  }

  get isOver(): boolean {
    return this.#outcome !== undefined;
  }

  /** All of it came, and is being put away. */
  get isFinishing(): boolean {
    return this.finishing;
  }

  get accepted(): boolean {
    return this.#accepted;
  }

  /** Paused by our person, or by us for what he need not know. */
  protected get pausedHere(): boolean {
    return this.#pausedByUs;
  }

  on<Name extends keyof FileTransferEvents>(
    name: Name,
    listener: (event: FileTransferEvents[Name]) => unknown,
  ): Unsubscribe {
    return this.#events.on(name, listener);
  }

  pause(): void {
    if (this.isOver || this.#pausedByUs) return;
    this.#pausedByUs = true;
    this.pauseChanged();
    this.announce();
  }

  resume(): void {
    if (this.isOver || !this.#pausedByUs) return;
    this.#pausedByUs = false;
    this.pauseChanged();
    this.announce();
  }

  cancel(): void {
    if (this.isOver) return;
    this.host.control(this, "kill");
    this.end({ state: "cancelled", by: "us" });
  }

  /** The peer says stop, or go on. False: he had said so already. */
  peerPaused(paused: boolean): boolean {
    if (this.#pausedByThem === paused) return false;
    this.#pausedByThem = paused;
    this.pauseChanged();
    this.announce();
    return true;
  }

  /** Something went wrong here. The peer is told that it is over. */
  fail(reason: FileFailure, message: string): void {
    if (this.isOver) return;
    this.host.control(this, "kill");
    this.end({ state: "failed", reason, message });
  }

  /** The last word; the peer knows. */
  end(outcome: FileOutcome): void {
    if (this.#outcome) return;
    this.#outcome = outcome;
    this.#endedAt = this.host.clock.monotonic();
    this.host.over(this);
    this.slot = undefined;
    this.release(outcome);
    if (outcome.state === "done") this.#emitProgress();
    this.#done.resolve(outcome);
    this.announce();
  }

  /** The session that it ran in is gone. */
  sessionLost(): void {
    if (this.isOver) return;
    this.slot = undefined;
    this.#pausedByThem = false;
    this.announce();
  }

  /** Tells the listeners, if the state is another than they were told. */
  announce(): void {
    const { state } = this;
    if (state === this.#announced) return;
    this.#announced = state;
    this.#rate.restart(this.host.clock.monotonic());
    this.#events.emit("state", { state });
  }

  protected begin(): void {
    this.#accepted = true;
    this.#startedAt ??= this.host.clock.monotonic();
  }

  /** The transfer has come so far. */
  protected moveTo(bytes: number): void {
    const now = this.host.clock.monotonic();
    this.#rate.add(Math.max(0, bytes - this.#bytes), now);
    this.#bytes = bytes;
    if (now - this.#progressAt < PROGRESS_INTERVAL || this.isOver) return;
    this.#progressAt = now;
    this.#emitProgress();
  }

  protected becomesKnown(size: number): void {
    this.#size = size;
  }

  /** One of the two sides has paused it, or no longer does. */
  protected abstract pauseChanged(): void;
  /** Lets go of source or sink. */
  protected abstract release(outcome: FileOutcome): void;

  #emitProgress(): void {
    if (this.#events.listenerCount("progress") === 0) return;
    this.#events.emit("progress", { bytes: this.#bytes, size: this.#size });
  }
}
