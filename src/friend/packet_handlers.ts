import type { Unsubscribe } from "../util/emitter.ts";
import { ToxError } from "../util/tox_error.ts";
import type { Friend } from "./friend.ts";

/** Handles one packet of a friend who is online; it is valid only inside the call. */
export type FriendPacketHandler = (friend: Friend, packet: Uint8Array) => void;

/** Who handles which inner packet ids: where files, groups and calls plug in. */
export class PacketHandlers {
  readonly #byId = new Array<FriendPacketHandler | undefined>(256);

  /** Handles the ids from `first` to `last`. Each id has one handler. */
  register(first: number, last: number, handler: FriendPacketHandler): Unsubscribe {
    for (let id = first; id <= last; id++) {
      if (this.#byId[id]) throw new ToxError("invalid-argument", `Packet ${id} of friends has a handler already.`);
    }
    this.#byId.fill(handler, first, last + 1);
    return () => {
      for (let id = first; id <= last; id++) if (this.#byId[id] === handler) this.#byId[id] = undefined;
    };
  }

  /** Answers whether somebody handles packets of this id. */
  handle(friend: Friend, packet: Uint8Array): boolean {
    const handler = this.#byId[packet[0] ?? 0];
    if (handler === undefined) return false;
    handler(friend, packet);
    return true;
  }
}
