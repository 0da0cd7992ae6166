import type { FileSink } from "../env/file.ts";
import type { FileOutcome } from "../friend/file_transfer.ts";
import { MAX_FILE_DATA_SIZE } from "../wire/friend/file_data.ts";
import { failureOf, messageOf } from "./failures.ts";
import { Transfer, type TransferFacts, type TransferHost } from "./transfer.ts";
import { WriteBehind } from "./write_behind.ts";

/** The sender is paused when so much waits for the disk, beside which comes what was under way … */
const HIGH_WATER = 1024 * 1024;
/** … and goes on when no more than this does. */
const LOW_WATER = 256 * 1024;
/** How far it has come is kept for a restart every so many bytes. */
const SAVE_EVERY = 8 * 1024 * 1024;

export interface IncomingFacts extends TransferFacts {
  readonly rawName: string;
}

/** A file that comes in: offered, and once accepted written as it comes. */
export class IncomingTransfer extends Transfer {
  readonly direction = "receive";
  readonly rawName: string;
  sink: FileSink | undefined;
  #writer: WriteBehind | undefined;
  /** Everything before this has come in this session. */
  #received = 0;
  /** The peer knows in this session that it is accepted. */
  #isGoing = false;
  #allCame = false;
  /** Too much waits for the disk. */
  #isFull = false;
  #pauseTold = false;
  #savedAt = 0;

  constructor(host: TransferHost, facts: IncomingFacts) {
    super(host, facts);
    this.rawName = facts.rawName;
  }

  /** It is offered in a new session. */
  offered(slot: number): void {
    this.slot = slot;
  }

  /** The app wants it, from `offset` on, into the sink; if the peer is away, as soon as he offers it again. */
  accept(sink: FileSink, offset: number): void {
    this.sink = sink;
    this.begin();
    this.moveTo(offset);
    if (this.slot !== undefined) this.tellAccepted();
    this.announce();
    this.host.changed();
  }

  /** Tells the peer that it goes on from where it is. */
  tellAccepted(): void {
    const { sink } = this;
    if (sink === undefined || this.isOver) return;
    // What came in an earlier session and still waits for the disk is not lost.
    this.#writer ??= this.#startWriting(sink);
    this.#isGoing = true;
    this.#pauseTold = false;
    const from = this.#received;
    if (from > 0) this.host.control(this, "seek", from);
    this.host.control(this, "accept");
    this.#tellPause();
    this.announce();
  }

  /** A piece. False: none was due. */
  receive(data: Uint8Array): boolean {
    const writer = this.#writer;
    if (!this.#isGoing || this.#allCame || writer === undefined) return false;
    const { size } = this;
    const room = (size ?? Number.MAX_SAFE_INTEGER) - this.#received;
    const taken = data.length > room ? data.subarray(0, room) : data;
    this.#received += taken.length;
    if (taken.length > 0) writer.add(taken);
    const isLast = data.length < MAX_FILE_DATA_SIZE || this.#received === size;
    if (isLast) this.#end();
    else if (writer.pending > HIGH_WATER && !this.#isFull) {
      this.#isFull = true;
      this.#tellPause();
    }
    return true;
  }

  override sessionLost(): void {
    this.#isGoing = false;
    super.sessionLost();
    if (this.accepted) this.host.changed();
  }

  protected override pauseChanged(): void {
    this.#tellPause();
  }

  protected override release(outcome: FileOutcome): void {
    this.#isGoing = false;
    const { sink } = this;
    if (sink === undefined) return;
    const writer = this.#writer;
    writer?.stop();
    if (outcome.state === "done") return;
    const keep = outcome.state === "closed" && sink.suspend !== undefined;
    const letGo = async () => {
      await writer?.settled();
      await (keep ? sink.suspend?.() : sink.abort());
    };
    letGo().catch((error: unknown) => {
      this.host.logger.warn("a received file could not be given up", { reason: messageOf(error) });
    });
  }

  #startWriting(sink: FileSink): WriteBehind {
    const { size } = this;
    // Nobody may seek to the end: of a file that is there already the last byte comes again.
    const from = Math.max(0, size === undefined ? this.bytes : Math.min(this.bytes, size - 1));
    this.#received = from;
    this.moveTo(from);
    return new WriteBehind(sink, from, {
      onWritten: (position) => this.#written(position),
      onError: (error) => this.fail(failureOf(error, "write-failed"), `Writing the file failed: ${messageOf(error)}`),
    });
  }

  #end(): void {
    const { size } = this;
    this.#allCame = true;
    if (size !== undefined && this.#received < size) {
      this.fail("incomplete", `The sender ended the file after ${this.#received} of ${size} bytes.`);
      return;
    }
    this.finishing = true; // the sender may use the slot again
    this.host.slotFree(this);
    this.slot = undefined;
    void this.#finish();
  }

  async #finish(): Promise<void> {
    const { sink } = this;
    await this.#writer?.settled();
    if (this.isOver || sink === undefined || !this.#allCame) return;
    try {
      await sink.close();
    } catch (error) {
      this.fail(failureOf(error, "write-failed"), `Finishing the file failed: ${messageOf(error)}`);
      return;
    }
    if (this.isOver) return;
    if (this.size === undefined) this.becomesKnown(this.#received);
    this.end({ state: "done" });
  }

  #written(position: number): void {
    this.moveTo(position);
    if (position >= this.#savedAt + SAVE_EVERY) {
      this.#savedAt = position;
      this.host.changed();
    }
    if (!this.#isFull || (this.#writer?.pending ?? 0) > LOW_WATER) return;
    this.#isFull = false;
    this.#tellPause();
  }

  #tellPause(): void {
    const paused = this.pausedHere || this.#isFull;
    if (!this.#isGoing || this.#allCame || this.#pauseTold === paused) return;
    this.#pauseTold = paused;
    this.host.control(this, paused ? "pause" : "accept");
  }
}
