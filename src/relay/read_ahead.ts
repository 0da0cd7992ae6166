/** A relay whose fastest answer took no longer, in ms, is near. */
const NEAR = 20;
/** Answers, the connection's own among them, before that is told. */
const SAMPLES = 4;
/** How much later than its fastest one a relay that is always there hardly answers, in ms; tox-bootstrapd looks every 30. */
const LATE = 20;
/** Prompt answers in a row that a near one must give to be trusted at first, and after a late one. */
const FIRST_PROOFS = 8;
const PROOFS = 16;
/** Bytes that may wait at such a relay. */
const LIMIT = 30 * 1024;

/**
 * How much may lie unread at a relay that is near and looks at its sockets now and then. tox-bootstrapd reads whole frames
 * only: when more is on its way than the kernel holds for it, a frame cut short at the edge can keep that memory, and so the
 * stream's window, closed for good (seen on loopback and on virtual cables, where segments are large). Pings tell what has
 * been read. Others are not limited.
 */
export class ReadAhead {
  #fastest: number;
  #samples = 1;
  #proofsLeft = FIRST_PROOFS;
  #unread = 0;
  /** Of these, those before the ping that is under way. */
  #pinged = 0;
  #refused = false;

  /** `connectMs`: what the connection took, without any handshake. */
  constructor(connectMs: number) {
    this.#fastest = connectMs;
  }

  /** Whether so many bytes may be sent now. After false, `answered` says when to try again. */
  allows(bytes: number): boolean {
    if (this.#unread + bytes <= LIMIT || !this.#isLimited) return true;
    this.#refused = true;
    return false;
  }

  /** Whether it is time to ask, with a ping, what has been read: before the limit is reached. */
  get asks(): boolean {
    return this.#unread - this.#pinged > LIMIT / 2 && this.#isLimited;
  }

  sent(bytes: number): void {
    this.#unread += bytes;
  }

  pinged(): void {
    this.#pinged = this.#unread;
  }

  /** A ping was answered, after so many ms. True when what was refused before may be tried again. */
  answered(roundTripMs: number): boolean {
    this.#samples++;
    this.#fastest = Math.min(this.#fastest, roundTripMs);
    if (roundTripMs > this.#fastest + LATE) this.#proofsLeft = this.#proofsLeft === 0 ? 0 : PROOFS;
    else if (this.#proofsLeft > 0) this.#proofsLeft--;
    this.#unread -= this.#pinged;
    this.#pinged = 0;
    const refused = this.#refused;
    this.#refused = false;
    return refused;
  }

  get #isLimited(): boolean {
    return this.#proofsLeft > 0 && (this.#samples < SAMPLES || this.#fastest <= NEAR);
  }
}
