import type { FileSink } from "../env/file.ts";
import type { FileOutcome } from "../friend/file_transfer.ts";
import { sameBytes } from "../util/bytes.ts";
import { MAX_FILE_DATA_SIZE } from "../wire/friend/file_data.ts";
import { failureOf, messageOf } from "./failures.ts";
import type { FileDigest } from "./file_digest.ts";
import { Transfer, type TransferFacts, type TransferHost } from "./transfer.ts";
import { WriteBehind } from "./write_behind.ts";

/** The sender is paused when so much waits for the disk, beside which comes what was under way … */
const HIGH_WATER = 1024 * 1024;
/** … and goes on when no more than this does. */
const LOW_WATER = 256 * 1024;
/**
 * toxcore has so much under way at most when it hears of a pause: 32,768 packets. Who sends more than this after he was told
 * does not listen.
 */
const MOST_AFTER_PAUSE = 48 * 1024 * 1024;
/** How far it has come is kept for a restart once there is something, and then every so many bytes. */
const SAVE_EVERY = 8 * 1024 * 1024;

/** A sender who has to read a large file once more for its hash takes so many ms at most; then we do without. */
const HASH_PATIENCE = 60_000;
const NOTHING = Promise.resolve(new Uint8Array(0));

export interface IncomingHost extends TransferHost {
  /** So many bytes more, or fewer, wait for the disk. False: of all files together too many. */
  held(bytes: number): boolean;
  /** All files have to wait: what they have to write together is much. */
  readonly isFull: boolean;
}

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
  /** Bytes that came since he was told. */
  #afterPause = 0;
  /** Of these `host.held` knows that they wait for the disk. */
  #held = 0;
  #savedAt = Number.NEGATIVE_INFINITY;
  readonly #host: IncomingHost;
  #digest: FileDigest | undefined;
  readonly #hash = Promise.withResolvers<Uint8Array | undefined>();

  constructor(host: IncomingHost, facts: IncomingFacts) {
    super(host, facts);
    this.#host = host;
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
    this.#digest ??= this.host.digest(this);
    this.#isGoing = true;
    this.#pauseTold = false;
    this.#afterPause = 0;
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
    this.#digest?.take(this.#received, taken);
    this.#received += taken.length;
    if (taken.length > 0) writer.add(taken);
    if (this.#pauseTold) this.#afterPause += data.length;
    if (!this.#tellHeld() || this.#afterPause > MOST_AFTER_PAUSE) {
      this.fail("overrun", "The friend sends on and on though he was told to pause.");
      return true;
    }
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
    if (this.finishing) this.takeHash(undefined);
    super.sessionLost();
    if (this.accepted) this.host.changed();
  }

  protected override pauseChanged(): void {
    this.#tellPause();
  }

  /** `host.isFull` is another. */
  fullChanged(): void {
    this.#tellPause();
  }

  protected override release(outcome: FileOutcome): void {
    this.#isGoing = false;
    this.takeHash(undefined);
    const { sink } = this;
    if (sink === undefined) return;
    const writer = this.#writer;
    writer?.stop();
    this.#tellHeld();
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
    if (!(await this.#isAsSent(sink))) {
      this.fail("hash-mismatch", "What came is not what the sender has: send it again.");
      return;
    }
    if (this.isOver) return;
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

  /** The sender's hash of the file; undefined when it does not come. Called behind the last piece. */
  takeHash(hash: Uint8Array | undefined): void {
    this.#hash.resolve(hash?.slice());
  }

  /** False only if it is known to be another file: the hash may not come, or not be ours to compute. */
  async #isAsSent(sink: FileSink): Promise<boolean> {
    const digest = this.#digest;
    if (digest === undefined || this.host.digest(this) === undefined) return true; // he may have another client now
    const { clock } = this.host;
    const giveUp = clock.at(clock.monotonic() + HASH_PATIENCE, () => this.takeHash(undefined));
    const wanted = await this.#hash.promise;
    giveUp();
    if (wanted === undefined) return true;
    const read = sink.read && ((at: number, length: number) => sink.read?.(at, length) ?? NOTHING);
    const found = await digest.finish(this.#received, read).catch(() => undefined);
    return found === undefined || sameBytes(found, wanted);
  }

  #written(position: number): void {
    this.#tellHeld();
    this.moveTo(position);
    if (position >= this.#savedAt + SAVE_EVERY) {
      this.#savedAt = position;
      this.host.changed();
    }
    if (!this.#isFull || (this.#writer?.pending ?? 0) > LOW_WATER) return;
    this.#isFull = false;
    this.#tellPause();
  }

  #tellHeld(): boolean {
    const before = this.#held;
    this.#held = this.#writer?.pending ?? 0;
    return this.#host.held(this.#held - before);
  }

  #tellPause(): void {
    const paused = this.pausedHere || this.#isFull || this.#host.isFull;
    if (!this.#isGoing || this.#allCame || this.#pauseTold === paused) return;
    this.#pauseTold = paused;
    this.#afterPause = 0;
    this.host.control(this, paused ? "pause" : "accept");
  }
}
