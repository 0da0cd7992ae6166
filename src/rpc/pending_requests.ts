import type { Tox, ToxEvents } from "../index.ts";

type FriendRequest = ToxEvents["friendRequest"];

const MAX_PENDING = 256;

/** Friend requests that wait for `acceptFriend`; the oldest is forgotten beyond 256. */
export class PendingRequests {
  readonly #byKey = new Map<string, FriendRequest>(); // bounded by MAX_PENDING

  constructor(tox: Tox) {
    tox.on("friendRequest", (request) => {
      this.#byKey.delete(request.publicKey);
      this.#byKey.set(request.publicKey, request);
      const [oldest] = this.#byKey.keys();
      if (this.#byKey.size > MAX_PENDING && oldest !== undefined) this.#byKey.delete(oldest);
    });
  }

  /** The oldest first. */
  get list(): readonly FriendRequest[] {
    return [...this.#byKey.values()];
  }

  take(publicKey: string): FriendRequest | undefined {
    const request = this.#byKey.get(publicKey.toUpperCase());
    this.#byKey.delete(publicKey.toUpperCase());
    return request;
  }
}
