import type { FriendPipe } from "../friend/plugged_floors.ts";
import type { Drop } from "../wire/drop.ts";

/** What we have to say and the session does not take yet; a peer who makes us say more is not answered. */
const MAX_UNSENT = 2048;

/** Control packets of one session, in order; what it does not take at once waits. */
export class PacketQueue {
  readonly #pipe: FriendPipe;
  readonly #drop: Drop;
  readonly #unsent: Uint8Array[] = []; // MAX_UNSENT

  constructor(pipe: FriendPipe, drop: Drop) {
    this.#pipe = pipe;
    this.#drop = drop;
  }

  send(packet: Uint8Array): void {
    if (this.#unsent.length === 0 && this.#pipe.send(packet, "control")) return;
    if (this.#unsent.length < MAX_UNSENT) this.#unsent.push(packet);
    else this.#drop("table-full");
  }

  /** There is room again. */
  writable(): void {
    while (this.#unsent.length > 0 && this.#pipe.send(this.#unsent[0] as Uint8Array, "control")) this.#unsent.shift();
  }
}
