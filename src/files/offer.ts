import type { FileSink } from "../env/file.ts";
import type { FileKind } from "../friend/file_transfer.ts";
import type { FileTransfer, Friend } from "../friend/friend.ts";
import { ToxError } from "../util/tox_error.ts";
import type { IncomingTransfer } from "./incoming.ts";

export interface AcceptFileOptions {
  /** Where to begin, in bytes: the sink has all before it. Where an earlier try ended when left out, or 0. */
  readonly offset?: number;
}

/** Somebody wants to send us a file. Nothing comes before it is accepted. */
export class FileOffer {
  readonly #transfer: IncomingTransfer;
  /** Bytes that an earlier try of the same file brought, as far as we remember. */
  readonly received: number;

  constructor(transfer: IncomingTransfer, received: number) {
    this.#transfer = transfer;
    this.received = received;
  }

  /** As `FileTransfer.id`. */
  get id(): string {
    return this.#transfer.id;
  }

  get friend(): Friend {
    return this.#transfer.friend;
  }

  /** 64 upper-case hex digits, chosen by the sender: the same for the same file, as far as he means it. */
  get fileId(): string {
    return this.#transfer.fileId;
  }

  get kind(): FileKind {
    return this.#transfer.kind;
  }

  /** Safe as a file's name on any disk. */
  get name(): string {
    return this.#transfer.name;
  }

  /** What the sender wrote: anything. */
  get rawName(): string {
    return this.#transfer.rawName;
  }

  /** As the sender says; he cannot send more. Undefined: he does not know. */
  get size(): number | undefined {
    return this.#transfer.size;
  }

  /** The transfer that it is, or will be: it tells when the sender takes the offer back. */
  get transfer(): FileTransfer {
    return this.#transfer;
  }

  /** Lets it come. Once only; later calls answer the same transfer. Throws `invalid-argument` for an offset that cannot be. */
  accept(sink: FileSink, options: AcceptFileOptions = {}): FileTransfer {
    const transfer = this.#transfer;
    if (transfer.isOver || transfer.accepted) return transfer;
    transfer.accept(sink, this.#offsetOf(sink, options.offset));
    return transfer;
  }

  /** The sender is told that it is not wanted. */
  reject(): void {
    this.#transfer.cancel();
  }

  #offsetOf(sink: FileSink, offset: number | undefined): number {
    const { size } = this;
    if (offset === undefined) {
      if (this.received === 0) return 0;
      return Math.min(sink.size ?? this.received, size ?? Number.MAX_SAFE_INTEGER);
    }
    const most = Math.min(sink.size ?? offset, size ?? offset);
    if (!Number.isSafeInteger(offset) || offset < 0 || offset > most) {
      throw new ToxError("invalid-argument", `Give an offset from 0 to ${most}: no more is there.`);
    }
    return offset;
  }
}
