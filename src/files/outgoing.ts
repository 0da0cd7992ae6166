import type { FileSource } from "../env/file.ts";
import type { FileOutcome } from "../friend/file_transfer.ts";
import type { BulkPacket } from "../net_crypto/session.ts";
import { FILE_DATA_HEADER_SIZE, MAX_FILE_DATA_SIZE, writeFileDataHeader } from "../wire/friend/file_data.ts";
import { MAX_FRIEND_PACKET_SIZE } from "../wire/friend/packet_ids.ts";
import { failureOf, messageOf } from "./failures.ts";
import type { FileDigest } from "./file_digest.ts";
import { ReadAhead } from "./read_ahead.ts";
import type { SourceReader } from "./shared_reads.ts";
import { Transfer, type TransferFacts, type TransferHost } from "./transfer.ts";

export interface OutgoingHost extends TransferHost {
  /** `nextPacket` may have something to give again, or has nothing any more. */
  sendingChanged(transfer: OutgoingTransfer): void;
  sendHash(transfer: OutgoingTransfer, hash: Uint8Array): void;
  /** Another one in each session. */
  readonly session: unknown;
}

/** Packets are cut from slabs of that many: one allocation, where the session holds each until it is acknowledged. */
const PACKETS_A_SLAB = 64;

/** A file that goes out: offered in each session anew, until the peer has all of it. */
export class OutgoingTransfer extends Transfer {
  readonly direction = "send";
  readonly source: FileSource;
  readonly #host: OutgoingHost;
  readonly #reader: SourceReader;
  #ahead: ReadAhead | undefined;
  /** Where the peer wants it from: he says so before he accepts. */
  #from = 0;
  #offset = 0;
  /** All of it is handed to the session. */
  #allSent = false;
  /** The peer has accepted it in this session. */
  #isGoing = false;
  /** He was told that we have paused. */
  #pauseTold = false;
  #digest: FileDigest | undefined;
  #hashing: Promise<unknown> | undefined;
  #slab = new Uint8Array(0);
  #slabAt = 0;

  /** Closes the reader when it is over. */
  constructor(host: OutgoingHost, facts: TransferFacts, reader: SourceReader) {
    super(host, facts);
    this.#host = host;
    this.#reader = reader;
    this.source = reader.source;
  }

  /** Whether the session should ask for packets of it. */
  get isSending(): boolean {
    return this.#isGoing && !this.#allSent && this.pausedBy === undefined && !this.isOver;
  }

  /** It is offered in a new session. */
  offered(slot: number): void {
    this.slot = slot;
    this.#from = 0;
    this.#isGoing = false;
    this.#allSent = false;
    this.#pauseTold = false;
  }

  /** The peer wants it from there. False: he has accepted it already. */
  seek(position: bigint): boolean {
    if (this.#isGoing) return false;
    if (position >= BigInt(this.size ?? Number.MAX_SAFE_INTEGER)) {
      this.fail("bad-seek", `The friend asks for what begins at ${position}, which is beyond the end.`);
    } else {
      this.#from = Number(position);
    }
    return true;
  }

  /** False: he has not accepted it, or has paused it already. */
  peerPauses(): boolean {
    return this.#isGoing && this.peerPaused(true);
  }

  /** The peer accepts it, or goes on after a pause of his. False: neither was due. */
  peerAccepts(): boolean {
    if (this.#isGoing) return this.peerPaused(false);
    if (this.#from !== this.#offset && this.source.canSeek === false) {
      this.fail("cannot-resume", "The source can only be read from the front.");
      return true;
    }
    this.#isGoing = true;
    this.#offset = this.#from;
    this.#ahead?.stop();
    const digest = this.host.digest(this);
    this.#digest = digest;
    const ahead = new ReadAhead(this.#reader, this.#from, {
      onRead: (offset, bytes) => digest?.take(offset, bytes),
      onReady: () => this.#host.sendingChanged(this),
      onError: (error) => this.fail(failureOf(error, "read-failed"), `Reading the file failed: ${messageOf(error)}`),
    });
    this.#ahead = ahead;
    this.begin();
    this.moveTo(this.#from);
    this.#tellPause();
    ahead.fill();
    this.announce();
    this.host.changed();
    this.#host.sendingChanged(this);
    return true;
  }

  override sessionLost(): void {
    const wasGoing = this.#isGoing;
    this.#isGoing = false;
    this.#ahead?.stop();
    this.#ahead = undefined;
    if (wasGoing && this.source.canSeek === false && !this.isOver) {
      this.end({
        state: "failed",
        reason: "cannot-resume",
        message: "The session was lost, and the source can only be read from the front.",
      });
      return;
    }
    super.sessionLost();
  }

  /** The next piece, or undefined when none is there: `sendingChanged` tells of the next. */
  nextPacket(): BulkPacket | undefined {
    const { slot } = this;
    const ahead = this.#ahead;
    if (slot === undefined || ahead === undefined || !this.isSending) return undefined;
    const { size } = this;
    const left = size === undefined ? MAX_FILE_DATA_SIZE : size - this.#offset;
    const wanted = Math.min(left, MAX_FILE_DATA_SIZE);
    if (ahead.buffered < wanted && !ahead.ended) {
      ahead.fill();
      return undefined;
    }
    const length = Math.min(wanted, ahead.buffered);
    if (size !== undefined && length < wanted) {
      this.fail("source-changed", `The file ends after ${this.#offset + length} of ${size} bytes.`);
      return undefined;
    }
    const packet = this.#allocate(FILE_DATA_HEADER_SIZE + length);
    writeFileDataHeader(packet, slot);
    ahead.take(packet, FILE_DATA_HEADER_SIZE, length);
    this.#offset += length;
    // toxcore ends a file at a short piece, or at its size: an empty piece behind a full last one would be for nobody.
    const isLast = size === undefined ? length < MAX_FILE_DATA_SIZE : this.#offset === size;
    if (isLast) this.#allSent = true;
    this.moveTo(this.#offset);
    if (!isLast) return packet;
    this.#host.sendingChanged(this);
    void this.#tellHash(this.#digest);
    return { data: packet, onAcknowledged: () => this.#arrived(slot) };
  }

  protected override pauseChanged(): void {
    this.#tellPause();
    this.#host.sendingChanged(this);
  }

  protected override release(_outcome: FileOutcome): void {
    this.#isGoing = false;
    this.#ahead?.stop();
    this.#ahead = undefined;
    const close = async () => {
      await this.#hashing;
      await this.#reader.close();
    };
    close().catch((error: unknown) => {
      this.host.logger.warn("a sent file could not be closed", { reason: messageOf(error) });
    });
  }

  /** toxcore only hears of a pause once it has accepted. */
  #tellPause(): void {
    if (!this.#isGoing || this.#allSent || this.#pauseTold === this.pausedHere) return;
    this.#pauseTold = this.pausedHere;
    this.host.control(this, this.pausedHere ? "pause" : "accept");
  }

  #arrived(slot: number): void {
    if (this.slot !== slot || !this.#allSent || this.isOver) return;
    if (this.size === undefined) this.becomesKnown(this.#offset);
    this.end({ state: "done" });
  }

  /**
   * Behind the last piece. What was not read in this session has to be read once more, as long as the session is there to say
   * it in: else somebody who takes only the end of a large file, again and again, would have us read it all the time.
   */
  async #tellHash(digest: FileDigest | undefined): Promise<void> {
    const { session } = this.#host;
    const isWanted = () => session === this.#host.session && digest === this.#digest;
    const read = async (at: number) => {
      if (!isWanted()) throw new Error("nobody waits for it any more");
      return await this.#reader.read(at);
    };
    const canRead = this.source.canSeek !== false;
    const hashing = digest?.finish(this.#offset, canRead ? read : undefined).catch(() => undefined);
    this.#hashing = hashing;
    const hash = await hashing;
    if (hash !== undefined && isWanted()) this.#host.sendHash(this, hash);
  }

  #allocate(length: number): Uint8Array {
    if (this.#slabAt + length > this.#slab.length) {
      this.#slab = new Uint8Array(PACKETS_A_SLAB * MAX_FRIEND_PACKET_SIZE);
      this.#slabAt = 0;
    }
    const packet = this.#slab.subarray(this.#slabAt, this.#slabAt + length);
    this.#slabAt += length;
    return packet;
  }
}
