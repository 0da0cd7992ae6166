import type { FriendPipe } from "../friend/plugged_floors.ts";
import type { BulkPacket } from "../net_crypto/session.ts";
import type { OutgoingTransfer } from "./outgoing.ts";

/** The files that go out to one friend, each of which gets its packet in turn. */
export class BulkQueue {
  readonly #pipe: FriendPipe;
  readonly #sending: OutgoingTransfer[] = []; // bounded by the friend's slots
  #next = 0;
  #isSource = false;

  constructor(pipe: FriendPipe) {
    this.#pipe = pipe;
  }

  /** The transfer may have packets to send, or none any more. The session asks only while there are such transfers. */
  update(transfer: OutgoingTransfer): void {
    const at = this.#sending.indexOf(transfer);
    if (transfer.isSending && at < 0) this.#sending.push(transfer);
    else if (!transfer.isSending && at >= 0) this.#sending.splice(at, 1);
    const isSource = this.#sending.length > 0;
    if (isSource === this.#isSource) {
      if (isSource) this.#pipe.bulkReady();
      return;
    }
    this.#isSource = isSource;
    this.#pipe.setBulkSource(isSource ? this.#pull : undefined);
  }

  readonly #pull = (): BulkPacket | undefined => {
    for (let tries = this.#sending.length; tries > 0; tries--) {
      if (this.#next >= this.#sending.length) this.#next = 0;
      const packet = this.#sending[this.#next++]?.nextPacket();
      if (packet !== undefined) return packet;
    }
    return undefined;
  };
}
