import { FIRST_OPENING_INTERVAL, MAX_OPENING_TRIES, OPENING_INTERVAL } from "./limits.ts";
import type { Path, Paths } from "./paths.ts";

/**
 * What is sent again until the peer answers: a cookie request by every path, and then a handshake by those where the peer
 * was found. Always the same bytes, so that each handshake the peer takes names the same session key and base nonce.
 */
export class Opening {
  readonly #paths: Paths;
  readonly #send: (path: Path, packet: Uint8Array) => void;
  #packet: Uint8Array | undefined;
  #isHandshake = false;

  constructor(paths: Paths, send: (path: Path, packet: Uint8Array) => void) {
    this.#paths = paths;
    this.#send = send;
  }

  /** Begins to ask for cookies, by the paths there are and those to come. */
  requestCookies(packet: Uint8Array, now: number): void {
    this.#begin(packet, false, now);
  }

  sendHandshakes(packet: Uint8Array, now: number): void {
    this.#begin(packet, true, now);
  }

  /** Sends by this path at once: it is new, or the peer has asked again. */
  sendNow(path: Path, now: number): void {
    if (this.#packet === undefined) return;
    path.tries++;
    path.triedAt = now;
    path.nextTryAt = now + (path.tries === 1 ? FIRST_OPENING_INTERVAL : OPENING_INTERVAL);
    this.#send(path, this.#packet);
  }

  /** When the next packet is due, or when the last try has had its time; infinity when there is nothing to wait for. */
  nextDue(): number {
    if (this.#packet === undefined) return Number.POSITIVE_INFINITY;
    let due = Number.POSITIVE_INFINITY;
    let end = Number.NEGATIVE_INFINITY;
    for (const path of this.#paths.all) {
      if (!this.#concerns(path)) continue;
      if (path.tries < MAX_OPENING_TRIES) due = Math.min(due, path.nextTryAt);
      else end = Math.max(end, path.nextTryAt);
    }
    return due === Number.POSITIVE_INFINITY && end > 0 ? end : due;
  }

  /** Sends what is due. False when every path has been tried often enough and the last try has had its time. */
  onTime(now: number): boolean {
    if (this.#packet === undefined) return true;
    let hopeful = false;
    let concerned = false;
    for (const path of this.#paths.all) {
      if (!this.#concerns(path)) continue;
      concerned = true;
      if (path.nextTryAt > now) {
        hopeful = true;
      } else if (path.tries < MAX_OPENING_TRIES) {
        hopeful = true;
        this.sendNow(path, now);
      }
    }
    return hopeful || !concerned;
  }

  /** The peer has answered everything. */
  stop(): void {
    this.#packet = undefined;
  }

  #begin(packet: Uint8Array, isHandshake: boolean, now: number): void {
    this.#packet = packet;
    this.#isHandshake = isHandshake;
    for (const path of this.#paths.all) {
      path.tries = 0;
      path.nextTryAt = now;
    }
    for (const path of this.#paths.all) if (this.#concerns(path)) this.sendNow(path, now);
  }

  #concerns(path: Path): boolean {
    return !this.#isHandshake || path.answered;
  }
}
