/** A relay whose connection took no longer, in ms, is near: what else a ping takes is the relay's own waiting. */
const NEAR = 5;
/** What a relay that is always there hardly takes to answer, in ms; tox-bootstrapd looks at its sockets every 30. */
const LAZY = 12;
/** Prompt answers in a row that one of these must give to be trusted at first, and after a late one. */
const FIRST_PROOFS = 8;
const PROOFS = 16;
/** Bytes that may wait at such a relay. */
const LIMIT = 48 * 1024;

/**
 * How much may lie unread at a relay that is near and looks at its sockets now and then. tox-bootstrapd reads whole frames
 * only: when more is on its way than the kernel holds for it, a frame cut short at the edge can keep that memory, and so the
 * stream's window, closed for good (seen on loopback and on virtual cables, where segments are large). Pings tell what has
 * been read. Others are not limited.
 */
export class ReadAhead {
  #proofsLeft: number;
  #unread = 0;
  /** Of these, those before the ping that is under way. */
  #pinged = 0;
  #refused = false;

  /** `connectMs`: what the connection took, without any handshake. */
  constructor(connectMs: number) {
    this.#proofsLeft = connectMs < NEAR ? FIRST_PROOFS : 0;
  }

  /** Whether so many bytes may be sent now. False: ask with a ping, and try again when `answered` says so. */
  allows(bytes: number): boolean {
    if (this.#proofsLeft === 0 || this.#unread + bytes <= LIMIT) return true;
    this.#refused = true;
    return false;
  }

  sent(bytes: number): void {
    this.#unread += bytes;
  }

  pinged(): void {
    this.#pinged = this.#unread;
  }

  /** A ping was answered, after so many ms. True when what was refused before may be tried again. */
  answered(roundTripMs: number): boolean {
    if (this.#proofsLeft > 0) this.#proofsLeft = roundTripMs > LAZY ? PROOFS : this.#proofsLeft - 1;
    this.#unread -= this.#pinged;
    this.#pinged = 0;
    const refused = this.#refused;
    this.#refused = false;
    return refused;
  }
}
