import type { Cancel, Clock } from "../env/clock.ts";

/** c-toxcore `Messenger.h` FRIENDREQUEST_TIMEOUT. */
const FIRST_INTERVAL_MS = 5_000;
/** Ours: toxcore doubles the pauses, and where every fifth datagram is lost one in a hundred waits for five minutes then. */
const GROWTH = 1.5;
const MAX_INTERVAL_MS = 3_600_000;
/** Announce nodes keep somebody for so long after he has gone. */
const FOUND_AGAIN_MS = 300_000;

/** A friend request of ours: sent as soon as the person is found, and again with growing pauses until he is there. */
export class OutgoingRequest {
  readonly #clock: Clock;
  /** Sends it once; false when the person cannot be reached now. */
  readonly #send: (data: Uint8Array) => boolean;
  #data: Uint8Array;
  #interval = FIRST_INTERVAL_MS;
  #due = true;
  #stopped = false;
  #sentAt = Number.NEGATIVE_INFINITY;
  #sent: boolean;
  #timer: Cancel | undefined;

  /** `sent`: whether an earlier instance has sent it. */
  constructor(clock: Clock, data: Uint8Array, sent: boolean, send: (data: Uint8Array) => boolean) {
    this.#clock = clock;
    this.#data = data;
    this.#sent = sent;
    this.#send = send;
  }

  /** nospam ‖ message. */
  get data(): Uint8Array {
    return this.#data;
  }

  /** Whether it has left once. */
  get sent(): boolean {
    return this.#sent;
  }

  /** The person has given out a new ID: asks anew. */
  replace(data: Uint8Array): void {
    this.#data = data;
    this.#sent = false;
    this.#interval = FIRST_INTERVAL_MS;
    this.#due = true;
    this.trySend();
  }

  /** The person has been found who was not before: what was sent long ago, when others only thought him there, he never got. */
  found(): void {
    if (this.#stopped) return;
    if (this.#clock.monotonic() >= this.#sentAt + FOUND_AGAIN_MS) this.#due = true;
    this.trySend();
  }

  /** A chance to send. */
  trySend(): void {
    if (!this.#due || !this.#send(this.#data)) return;
    this.#due = false;
    this.#sent = true;
    this.#sentAt = this.#clock.monotonic();
    this.#timer?.();
    this.#timer = this.#clock.at(this.#clock.monotonic() + this.#interval, () => {
      this.#due = true;
      this.trySend();
    });
    this.#interval = Math.min(GROWTH * this.#interval, MAX_INTERVAL_MS);
  }

  stop(): void {
    this.#stopped = true;
    this.#due = false;
    this.#timer?.();
  }
}
