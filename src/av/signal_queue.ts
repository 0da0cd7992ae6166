import { encodeMsi, type MsiMessage } from "../wire/av/msi.ts";

/**
 * Signals to one friend, in order, also where his session has no room for them. None is left out that he has to hear: who gets an
 * invitation while one is unanswered, because the end of the call before was never said, breaks if he is toxcore.
 */
export class SignalQueue {
  /** Answers false where there is no room. */
  readonly #transmit: (packet: Uint8Array) => boolean;
  readonly #owed: MsiMessage[] = []; // three at most: a `pop`, an `init` or none, a `push` or none

  constructor(transmit: (packet: Uint8Array) => boolean) {
    this.#transmit = transmit;
  }

  send(message: MsiMessage): void {
    this.#add(message);
    this.flush();
  }

  /** There is room again. */
  flush(): void {
    for (let next = this.#owed[0]; next !== undefined; next = this.#owed[0]) {
      if (!this.#transmit(encodeMsi(next))) return;
      this.#owed.shift();
    }
  }

  #add(message: MsiMessage): void {
    const isPop = message.request === "pop";
    const before = this.#last;
    if (before === "push" && message.request !== "init") this.#owed.pop();
    if (isPop && this.#last === "pop") return; // it ends all there is
    if (isPop && this.#last === "init") {
      this.#owed.pop();
      if (before === "init") return; // he has not heard of this call, nor called himself
    }
    this.#owed.push(message);
  }

  get #last(): MsiMessage["request"] | undefined {
    return this.#owed.at(-1)?.request;
  }
}
