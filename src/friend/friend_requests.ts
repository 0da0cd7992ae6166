import type { PublicKey } from "../crypto/keys.ts";
import { sameBytes, toHex } from "../util/bytes.ts";
import type { Emitter } from "../util/emitter.ts";
import { fromUtf8 } from "../util/text.ts";
import type { Drop, DropReason } from "../wire/drop.ts";
import { decodeFriendRequestData, type FriendRequestData } from "../wire/friend/friend_request.ts";
import type { FriendEvents } from "./events.ts";
import type { Friend } from "./friend.ts";

/** Senders whose requests are not shown again. c-toxcore `friend_requests.c` MAX_RECEIVED_STORED. */
const REMEMBERED_SENDERS = 32;

export interface FriendRequestsOptions {
  readonly nospam: number;
  readonly events: Emitter<FriendEvents>;
  readonly drop: Drop;
  readonly isFriend: (sender: PublicKey) => boolean;
  readonly isBlocked: (sender: PublicKey) => boolean;
  readonly accept: (sender: PublicKey) => Friend;
}

/** Requests that strangers send us, through the onion or in a session. */
export class FriendRequests {
  /** Whoever does not know it cannot ask. u32. */
  nospam: number;
  readonly #options: FriendRequestsOptions;
  readonly #senders: PublicKey[] = []; // at most REMEMBERED_SENDERS, the oldest first

  constructor(options: FriendRequestsOptions) {
    this.nospam = options.nospam;
    this.#options = options;
  }

  /** `data`: nospam ‖ message, valid only inside the call. */
  receive(sender: PublicKey, data: Uint8Array): void {
    const { drop, events, accept } = this.#options;
    const request = decodeFriendRequestData(data, drop);
    if (request === undefined) return;
    const reason = this.#reasonToDrop(sender, request);
    if (reason !== undefined) {
      drop(reason);
      return;
    }
    const publicKeyBytes = sender.slice() as Uint8Array as PublicKey;
    this.#remember(publicKeyBytes);
    events.emit("friendRequest", {
      publicKey: toHex(publicKeyBytes),
      publicKeyBytes,
      message: fromUtf8(request.message),
      accept: () => accept(publicKeyBytes),
    });
  }

  /** The next request of this person is shown again. */
  forget(sender: PublicKey): void {
    const at = this.#senders.findIndex((known) => sameBytes(known, sender));
    if (at >= 0) this.#senders.splice(at, 1);
  }

  #reasonToDrop(sender: PublicKey, request: FriendRequestData): DropReason | undefined {
    if (request.nospam !== this.nospam) return "not-for-us";
    if (this.#options.isBlocked(sender)) return "blocked";
    if (this.#options.isFriend(sender)) return "unsolicited";
    if (this.#senders.some((known) => sameBytes(known, sender))) return "replayed";
    // With nobody to see it, it is not remembered either: the sender asks again.
    return this.#options.events.listenerCount("friendRequest") === 0 ? "unsolicited" : undefined;
  }

  #remember(sender: PublicKey): void {
    this.#senders.push(sender);
    if (this.#senders.length > REMEMBERED_SENDERS) this.#senders.shift();
  }
}
