import type { CryptoProvider } from "../crypto/provider.ts";
import type { Clock } from "../env/clock.ts";
import type { FileSource } from "../env/file.ts";
import type { Logger } from "../env/logger.ts";
import type { FileOutcome } from "../friend/file_transfer.ts";
import type { Friend } from "../friend/friend.ts";
import type { FriendPipe } from "../friend/plugged_floors.ts";
import { toHex } from "../util/bytes.ts";
import { fromUtf8, utf8 } from "../util/text.ts";
import { TokenBucket } from "../util/token_bucket.ts";
import { ToxError } from "../util/tox_error.ts";
import type { Drop } from "../wire/drop.ts";
import { Capability } from "../wire/friend/extension.ts";
import {
  decodeFileControl,
  encodeFileControl,
  type FileControl,
  type FileControlKind,
} from "../wire/friend/file_control.ts";
import { decodeFileData } from "../wire/friend/file_data.ts";
import { decodeFileHash, encodeFileHash } from "../wire/friend/file_hash.ts";
import {
  decodeFileRequest,
  encodeFileRequest,
  FILE_SLOTS,
  type FileRequest,
  UNKNOWN_FILE_SIZE,
} from "../wire/friend/file_request.ts";
import { BulkQueue } from "./bulk_queue.ts";
import { FileDigest } from "./file_digest.ts";
import { FinishedFiles } from "./finished_files.ts";
import { HeldBytes } from "./held_bytes.ts";
import { type IncomingHost, IncomingTransfer } from "./incoming.ts";
import { AVATAR_KIND } from "./kinds.ts";
import { nowhere } from "./memory.ts";
import { type OutgoingHost, OutgoingTransfer } from "./outgoing.ts";
import { PacketQueue } from "./packet_queue.ts";
import { safeFileName } from "./safe_name.ts";
import type { SharedSources } from "./shared_reads.ts";
import type { Transfer, TransferFacts } from "./transfer.ts";

/** Transfers of one friend in one direction, those that wait for him to come back included. */
export const MAX_TRANSFERS = FILE_SLOTS;
/** Offers cost events and the app's attention: so many at once … */
const OFFERS = FILE_SLOTS;
/** … and one in so many ms in the long run. */
const OFFER_MS = 100;
/** Controls for transfers that are not there are answered so often at once … */
const ANSWERS = 64;
/** … and once in so many ms. */
const ANSWER_MS = 100;

/** What the files of all friends share. */
export interface FilesContext {
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly logger: Logger;
  readonly drop: Drop;
  readonly sources: SharedSources;
  /** A new offer, for which nobody has decided yet. */
  offered(transfer: IncomingTransfer): void;
  /** An avatar is offered. Undefined: it is not wanted. */
  avatarOffered(friend: Friend, request: FileRequest, decide: (accept: AvatarReceipt | undefined) => void): void;
  /** What is kept for a restart has changed. */
  changed(): void;
}

export interface AvatarReceipt {
  accept(transfer: IncomingTransfer): void;
}

/** The files of one friend, both ways: who has which slot, and what packets say about it. c-toxcore `Messenger.c`. */
export class FriendFiles implements OutgoingHost, IncomingHost {
  readonly #context: FilesContext;
  readonly #friend: Friend;
  readonly #outgoing = new Map<string, OutgoingTransfer>(); // by file id; MAX_TRANSFERS, by our app
  readonly #incoming = new Map<string, IncomingTransfer>(); // by file id; MAX_TRANSFERS
  readonly #outSlots = new Map<number, OutgoingTransfer>(); // FILE_SLOTS
  readonly #inSlots = new Map<number, IncomingTransfer>(); // FILE_SLOTS
  readonly #finished: FinishedFiles;
  readonly #held = new HeldBytes(() => {
    for (const transfer of this.#inSlots.values()) transfer.fullChanged();
  });
  readonly #offers = new TokenBucket(OFFERS, OFFER_MS);
  readonly #answers = new TokenBucket(ANSWERS, ANSWER_MS);
  #pipe: FriendPipe | undefined;
  #packets: PacketQueue | undefined;
  #bulk: BulkQueue | undefined;
  #nextSlot = 0;

  constructor(context: FilesContext, friend: Friend) {
    this.#context = context;
    this.#friend = friend;
    this.#finished = new FinishedFiles(context.clock);
  }

  get clock(): Clock {
    return this.#context.clock;
  }

  get logger(): Logger {
    return this.#context.logger;
  }

  get session(): unknown {
    return this.#pipe;
  }

  get outgoing(): IterableIterator<OutgoingTransfer> {
    return this.#outgoing.values();
  }

  get incoming(): IterableIterator<IncomingTransfer> {
    return this.#incoming.values();
  }

  hasOutgoing(fileId: string): boolean {
    return this.#outgoing.has(fileId);
  }

  /** Offers a file, now or when he is there. Throws `queue-full`, `invalid-argument`. */
  send(source: FileSource, facts: TransferFacts): OutgoingTransfer {
    const fileId = toHex(facts.fileId);
    const { sources } = this.#context;
    if (this.#outgoing.has(fileId)) {
      throw new ToxError("invalid-argument", "Wait: a file with this id is on its way to this friend.");
    }
    if (this.#outgoing.size >= MAX_TRANSFERS) {
      throw new ToxError("queue-full", `Wait for the friend: ${MAX_TRANSFERS} files are on their way to him.`);
    }
    if (source.canSeek === false && sources.has(source)) {
      throw new ToxError("invalid-argument", "Give another source: this one is being sent, and can be read only once.");
    }
    const transfer = new OutgoingTransfer(this, facts, sources.open(source));
    this.#outgoing.set(fileId, transfer);
    this.#offer(transfer);
    this.#context.changed();
    return transfer;
  }

  up(pipe: FriendPipe): void {
    this.#pipe = pipe;
    this.#packets = new PacketQueue(pipe, this.#context.drop);
    this.#bulk = new BulkQueue(pipe);
    for (const transfer of [...this.#outgoing.values()]) this.#offer(transfer);
  }

  down(): void {
    this.#pipe = undefined;
    this.#packets = undefined;
    this.#bulk = undefined;
    const others = [...this.#inSlots.values()].filter(({ fileId }) => !this.#incoming.has(fileId));
    this.#outSlots.clear();
    this.#inSlots.clear();
    this.#finished.sessionLost();
    for (const transfer of [...this.#outgoing.values(), ...this.#incoming.values()]) {
      // Avatars are told anew on each connection.
      if (transfer.kindNumber === AVATAR_KIND) transfer.end({ state: "closed" });
      else transfer.sessionLost();
    }
    for (const transfer of others) transfer.end({ state: "closed" });
  }

  writable(): void {
    this.#packets?.writable();
  }

  /** Ends everything, without a word to the peer. */
  endAll(outcome: FileOutcome): void {
    for (const transfer of [...this.#outgoing.values(), ...this.#incoming.values()]) transfer.end(outcome);
    this.#pipe = undefined;
    this.#packets = undefined;
  }

  handleRequest(packet: Uint8Array): void {
    const request = decodeFileRequest(packet, this.#context.drop);
    if (request === undefined) return;
    if (this.#inSlots.has(request.slot)) {
      this.#context.drop("replayed");
    } else if (request.size > BigInt(Number.MAX_SAFE_INTEGER) && request.size !== UNKNOWN_FILE_SIZE) {
      this.#refuse(request.slot);
    } else if (request.kind === AVATAR_KIND) {
      this.#handleAvatar(request);
    } else {
      this.#handleOffer(request);
    }
  }

  handleControl(packet: Uint8Array): void {
    const control = decodeFileControl(packet, this.#context.drop);
    if (control === undefined) return;
    const known = control.byReceiver ? this.#controlOutgoing(control) : this.#controlIncoming(control);
    if (known) return;
    this.#context.drop("unsolicited");
  }

  handleData(packet: Uint8Array): void {
    const { drop } = this.#context;
    const piece = decodeFileData(packet, drop);
    if (piece === undefined) return;
    if (this.#inSlots.get(piece.slot)?.receive(piece.data) !== true) drop("unsolicited");
  }

  control(transfer: Transfer, control: FileControlKind, position = 0): void {
    const { slot } = transfer;
    if (slot === undefined) return;
    const byReceiver = transfer.direction === "receive";
    this.#say(encodeFileControl({ byReceiver, slot, control, position: BigInt(position) }));
  }

  slotFree(transfer: Transfer): void {
    if (transfer.slot === undefined) return;
    const slots: Map<number, Transfer> = transfer.direction === "send" ? this.#outSlots : this.#inSlots;
    if (slots.get(transfer.slot) === transfer) slots.delete(transfer.slot);
  }

  over(transfer: Transfer): void {
    this.slotFree(transfer);
    const table: Map<string, Transfer> = transfer.direction === "send" ? this.#outgoing : this.#incoming;
    if (table.get(transfer.fileId) === transfer) table.delete(transfer.fileId);
    if (transfer instanceof OutgoingTransfer) {
      this.#bulk?.update(transfer);
      this.#offerNext();
    } else if (transfer.state === "done") {
      this.#finished.add(transfer);
    }
    this.#context.changed();
  }

  sendingChanged(transfer: OutgoingTransfer): void {
    this.#bulk?.update(transfer);
  }

  changed(): void {
    this.#context.changed();
  }

  get isFull(): boolean {
    return this.#held.isFull;
  }

  held(bytes: number): boolean {
    return this.#held.add(bytes);
  }

  digest(transfer: Transfer): FileDigest | undefined {
    // Avatars have their hash for an id, and what comes a second time is for nobody.
    if (transfer.direction === "receive" && !this.#incoming.has(transfer.fileId)) return undefined;
    const isComparing = ((this.#pipe?.capabilities ?? 0) & Capability.FileHash) !== 0;
    return isComparing ? new FileDigest(this.#context.crypto) : undefined;
  }

  sendHash({ fileIdBytes: fileId }: OutgoingTransfer, hash: Uint8Array): void {
    this.#say(encodeFileHash({ fileId, hash }));
  }

  handleHash(packet: Uint8Array): void {
    const told = decodeFileHash(packet, this.#context.drop);
    if (told === undefined) return;
    const transfer = this.#incoming.get(toHex(told.fileId));
    if (transfer?.isFinishing) transfer.takeHash(told.hash);
    else this.#context.drop("unsolicited");
  }

  /** Offers it, if he is there and a slot is free. */
  #offer(transfer: OutgoingTransfer): void {
    if (this.#pipe === undefined || transfer.slot !== undefined) return;
    const slot = this.#freeSlot();
    if (slot === undefined) return;
    this.#outSlots.set(slot, transfer);
    transfer.offered(slot);
    this.#say(
      encodeFileRequest({
        slot,
        kind: transfer.kindNumber,
        size: transfer.size === undefined ? UNKNOWN_FILE_SIZE : BigInt(transfer.size),
        fileId: transfer.fileIdBytes,
        name: utf8(transfer.name),
      }),
    );
  }

  #offerNext(): void {
    for (const transfer of this.#outgoing.values()) if (transfer.slot === undefined) this.#offer(transfer);
  }

  /** In turn, so that what is under way about the last transfer in a slot is not taken for one about the next. */
  #freeSlot(): number | undefined {
    for (let tries = 0; tries < FILE_SLOTS; tries++) {
      const slot = this.#nextSlot;
      this.#nextSlot = (slot + 1) % FILE_SLOTS;
      if (!this.#outSlots.has(slot)) return slot;
    }
    return undefined;
  }

  #handleOffer(request: FileRequest): void {
    const { slot, kind } = request;
    const size = request.size === UNKNOWN_FILE_SIZE ? undefined : Number(request.size);
    const fileId = toHex(request.fileId);
    const known = this.#incoming.get(fileId);
    const finished = this.#finished.find(fileId, size);
    if (known !== undefined && (known.slot !== undefined || known.isFinishing)) {
      this.#refuse(slot); // the same file twice
    } else if (known !== undefined && known.size === size && known.kindNumber === kind) {
      this.#inSlots.set(slot, known);
      known.offered(slot);
      if (known.accepted) known.tellAccepted();
    } else if (finished !== undefined) {
      this.#takeAgain(request, finished.size);
    } else if (!this.#offers.take(this.#context.clock.monotonic())) {
      this.#context.drop("rate-limited");
      this.#refuse(slot);
    } else {
      known?.end({ state: "cancelled", by: "them" });
      this.#takeOffer(request, size);
    }
  }

  #takeOffer(request: FileRequest, size: number | undefined): void {
    if (!this.#makeRoom()) {
      this.#context.drop("table-full");
      this.#refuse(request.slot);
      return;
    }
    const transfer = this.#newIncoming(request, size);
    this.#incoming.set(transfer.fileId, transfer);
    this.#context.offered(transfer);
  }

  /** We have the file, and the peer has not heard so before the session ended: he may send the end of it again. */
  #takeAgain(request: FileRequest, size: number): void {
    this.#newIncoming(request, size).accept(nowhere, size);
  }

  #newIncoming(request: FileRequest, size: number | undefined): IncomingTransfer {
    const rawName = fromUtf8(request.name);
    const { fileId, kind, slot } = request;
    const facts = { friend: this.#friend, fileId, kind, size, rawName, name: safeFileName(rawName) };
    const transfer = new IncomingTransfer(this, facts);
    transfer.offered(slot);
    this.#inSlots.set(slot, transfer);
    return transfer;
  }

  #handleAvatar(request: FileRequest): void {
    const size = Number(request.size);
    const pipe = this.#pipe;
    // Held while it is decided, so that the slot is not offered twice.
    const transfer = this.#newIncoming(request, size);
    this.#context.avatarOffered(this.#friend, request, (receipt) => {
      if (transfer.isOver || this.#pipe !== pipe || pipe === undefined) return;
      if (receipt !== undefined) receipt.accept(transfer);
      else transfer.cancel();
    });
  }

  /** Offers that nobody has decided on and whose sender is gone make way. */
  #makeRoom(): boolean {
    if (this.#incoming.size < MAX_TRANSFERS) return true;
    for (const transfer of this.#incoming.values()) {
      if (transfer.accepted || transfer.slot !== undefined) continue;
      transfer.end({ state: "cancelled", by: "them" });
      return true;
    }
    return false;
  }

  #controlOutgoing({ slot, control, position }: FileControl): boolean {
    const transfer = this.#outSlots.get(slot);
    if (transfer === undefined) return this.#answerUnknown(false, slot, control);
    if (control === "kill") transfer.end({ state: "cancelled", by: "them" });
    else if (control === "accept") return transfer.peerAccepts();
    else if (control === "seek") return transfer.seek(position);
    else return transfer.peerPauses();
    return true;
  }

  #controlIncoming({ slot, control }: FileControl): boolean {
    const transfer = this.#inSlots.get(slot);
    if (transfer === undefined) return this.#answerUnknown(true, slot, control);
    if (control === "kill") transfer.end({ state: "cancelled", by: "them" });
    else if (control === "accept") return transfer.peerPaused(false);
    else if (control === "pause") return transfer.accepted && transfer.peerPaused(true);
    else return false;
    return true;
  }

  /** As toxcore does; but a kill for what is dead is the end of it, or two would tell each other for ever. */
  #answerUnknown(byReceiver: boolean, slot: number, control: FileControlKind): false {
    if (control !== "kill" && this.#answers.take(this.#context.clock.monotonic())) {
      this.#say(encodeFileControl({ byReceiver, slot, control: "kill", position: 0n }));
    }
    return false;
  }

  #refuse(slot: number): void {
    this.#say(encodeFileControl({ byReceiver: true, slot, control: "kill", position: 0n }));
  }

  #say(packet: Uint8Array): void {
    this.#packets?.send(packet);
  }
}
