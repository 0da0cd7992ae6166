import type { Random } from "../../env/random.ts";
import { sameBytes } from "../../util/bytes.ts";
import { SENDBACK_DATA_SIZE } from "../../wire/onion/sizes.ts";

interface Slot<T> {
  readonly sendback: Uint8Array;
  readonly sentAt: number;
  /** Undefined once answered. */
  value: T | undefined;
}

/** As toxcore's ANNOUNCE_ARRAY_SIZE and ANNOUNCE_TIMEOUT. */
export const MAX_PENDING_REQUESTS = 256;
const TIMEOUT = 10_000;

/** Requests under way, by the random 8 bytes that their answers bring back. The oldest makes room for the newest. */
export class PendingRequests<T> {
  readonly #random: Random;
  readonly #slots: Array<Slot<T> | undefined> = new Array(MAX_PENDING_REQUESTS).fill(undefined);
  /** Counts of requests: the oldest that may still be answered, and the next. */
  #oldest = 0;
  #next = 0;
  #size = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** How many may still be answered. */
  sizeAt(now: number): number {
    while (this.#oldest < this.#next) {
      const slot = this.#slots[this.#oldest % MAX_PENDING_REQUESTS];
      if (slot?.value !== undefined && now - slot.sentAt < TIMEOUT) break;
      this.#forget(slot);
      this.#oldest++;
    }
    return this.#size;
  }

  /** Answers the sendback data for the request. */
  add(value: T, now: number): Uint8Array {
    const index = this.#next % MAX_PENDING_REQUESTS;
    if (this.#next - this.#oldest === MAX_PENDING_REQUESTS) this.#oldest++;
    this.#forget(this.#slots[index]);
    const sendback = new Uint8Array(SENDBACK_DATA_SIZE);
    this.#random.fill(sendback);
    sendback[0] = index;
    this.#slots[index] = { sendback, sentAt: now, value };
    this.#next++;
    this.#size++;
    return sendback;
  }

  /** The request that this sendback data belongs to; it stays pending. */
  find(sendback: Uint8Array, now: number): { readonly value: T; readonly sentAt: number } | undefined {
    const slot = this.#slots[sendback[0] ?? 0];
    if (slot?.value === undefined || now - slot.sentAt >= TIMEOUT) return undefined;
    return sameBytes(slot.sendback, sendback) ? { value: slot.value, sentAt: slot.sentAt } : undefined;
  }

  /** Ends a request: a second answer finds nothing. */
  remove(sendback: Uint8Array): void {
    this.#forget(this.#slots[sendback[0] ?? 0]);
  }

  clear(): void {
    this.#slots.fill(undefined);
    this.#oldest = this.#next;
    this.#size = 0;
  }

  #forget(slot: Slot<T> | undefined): void {
    if (slot?.value === undefined) return;
    slot.value = undefined;
    this.#size--;
  }
}
