import type { Crypto } from "../crypto/crypto.ts";
import type { Cancel, Clock } from "../env/clock.ts";
import type { Logger } from "../env/logger.ts";
import { memoryStore } from "../env/memory_store.ts";
import type { Store } from "../env/store.ts";
import type { Friend } from "../friend/friend.ts";
import { sameBytes, toHex } from "../util/bytes.ts";
import { TokenBucket } from "../util/token_bucket.ts";
import { ToxError } from "../util/tox_error.ts";
import type { FileRequest } from "../wire/friend/file_request.ts";
import { messageOf } from "./failures.ts";
import type { AvatarReceipt } from "./friend_files.ts";
import type { IncomingTransfer } from "./incoming.ts";
import { BytesSink, bytesSource } from "./memory.ts";

/** Clients agree on that: larger ones are not fetched. */
export const MAX_AVATAR_SIZE = 65_536;
/** What is ours. An empty record: we had one. */
const OWN_RECORD = "avatar";
/** An avatar costs a fetch and a write: so many at once for each friend … */
const FETCHES = 8;
/** … and one in so many ms in the long run. */
const FETCH_MS = 30_000;

export interface AvatarsOptions {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly logger: Logger;
  readonly store: Store | undefined;
  send(friend: Friend, source: ReturnType<typeof bytesSource>, fileId: Uint8Array): void;
  changed(friend: Friend, avatar: FriendAvatar | undefined): void;
}

export interface FriendAvatar {
  /** Its SHA-256, 64 upper-case hex digits. */
  readonly hash: string;
  /** The image, in whatever format: at most 64 KiB that a stranger chose. */
  readonly bytes: Uint8Array;
}

interface Known {
  /** Of the avatar we have; undefined: none. */
  hash: Uint8Array | undefined;
  readonly loaded: Promise<void>;
  readonly fetches: TokenBucket;
  /** What comes, or waits until there may be another fetch: what he said before that counts no more. */
  latest: { readonly end: () => void } | undefined;
}

type Decide = (receipt: AvatarReceipt | undefined) => void;

/**
 * Avatars as clients agreed on: offered as a file whose id is the image's SHA-256 on each connection and when it changes,
 * fetched when that is new; an empty one says that there is none.
 */
export class Avatars {
  readonly #options: AvatarsOptions;
  readonly #store: Store;
  readonly #known = new Map<Friend, Known>(); // bounded by the friend list
  readonly #online = new Set<Friend>(); // bounded by the friend list
  #own: FriendAvatar | undefined;
  /** We had one, and friends may still show it. */
  #hadOne = false;

  constructor(options: AvatarsOptions) {
    this.#options = options;
    this.#store = options.store ?? memoryStore();
  }

  async load(): Promise<void> {
    const bytes = await this.#store.read(OWN_RECORD);
    this.#hadOne = bytes !== undefined;
    if (bytes !== undefined && bytes.length > 0) this.#own = this.#avatarOf(bytes);
  }

  get own(): FriendAvatar | undefined {
    return this.#own;
  }

  /** Throws `invalid-argument` above 64 KiB. */
  async setOwn(bytes: Uint8Array | undefined): Promise<void> {
    if (bytes !== undefined && (bytes.length === 0 || bytes.length > MAX_AVATAR_SIZE)) {
      throw new ToxError("invalid-argument", `Give an image of 1 to ${MAX_AVATAR_SIZE} bytes; it has ${bytes.length}.`);
    }
    this.#own = bytes && this.#avatarOf(bytes.slice());
    this.#hadOne = true;
    for (const friend of this.#online) this.#announce(friend);
    await this.#store.write(OWN_RECORD, this.#own?.bytes ?? new Uint8Array(0));
  }

  /** What he showed last. */
  async of(friend: Friend): Promise<FriendAvatar | undefined> {
    await this.#knownOf(friend).loaded;
    const bytes = await this.#store.read(recordOf(friend));
    return bytes === undefined || bytes.length === 0 ? undefined : this.#avatarOf(bytes);
  }

  up(friend: Friend): void {
    this.#online.add(friend);
    this.#knownOf(friend);
    this.#announce(friend);
  }

  down(friend: Friend): void {
    this.#online.delete(friend);
  }

  removed(friend: Friend): void {
    const known = this.#knownOf(friend);
    this.#known.delete(friend);
    this.#supersede(known, undefined);
    void known.loaded.then(() => {
      if (known.hash !== undefined) this.#write(friend, new Uint8Array(0));
    });
  }

  /** Says later whether we fetch it: what we have may have to be read first, or there were too many lately. */
  offered(friend: Friend, request: FileRequest, decide: Decide): void {
    const known = this.#knownOf(friend);
    const hash = request.fileId.slice();
    const { size } = request;
    void known.loaded.then(() => {
      if (size > BigInt(MAX_AVATAR_SIZE)) {
        decide(undefined);
        return;
      }
      this.#supersede(known, undefined);
      if (size === 0n) {
        decide(undefined);
        if (known.hash !== undefined) this.#took(friend, known, undefined);
      } else if (known.hash !== undefined && sameBytes(known.hash, hash)) {
        decide(undefined);
      } else {
        this.#fetchSoon(friend, known, decide);
      }
    });
  }

  #supersede(known: Known, latest: Known["latest"]): void {
    const before = known.latest;
    known.latest = latest;
    before?.end();
  }

  #fetchSoon(friend: Friend, known: Known, decide: Decide): void {
    const { clock } = this.#options;
    const now = clock.monotonic();
    if (known.fetches.take(now)) {
      decide({ accept: (transfer) => this.#fetch(friend, known, transfer) });
      return;
    }
    const again: Cancel = clock.at(now + known.fetches.wait(now) + 1, () => {
      known.latest = undefined;
      this.#fetchSoon(friend, known, decide);
    });
    known.latest = {
      end: () => {
        again();
        decide(undefined);
      },
    };
  }

  #fetch(friend: Friend, known: Known, transfer: IncomingTransfer): void {
    const sink = new BytesSink();
    const latest = { end: () => transfer.cancel() };
    known.latest = latest;
    void transfer.done.then(({ state }) => {
      if (known.latest === latest) known.latest = undefined;
      if (state !== "done" || this.#known.get(friend) !== known) return;
      const avatar = this.#avatarOf(sink.bytes);
      if (avatar.hash === transfer.fileId) this.#took(friend, known, avatar);
      else this.#options.logger.info("an avatar is not what its hash says", { friend: friend.publicKey });
    });
    transfer.accept(sink, 0);
  }

  #took(friend: Friend, known: Known, avatar: FriendAvatar | undefined): void {
    known.hash = avatar && this.#hash(avatar.bytes);
    this.#write(friend, avatar?.bytes ?? new Uint8Array(0));
    this.#options.changed(friend, avatar);
  }

  #announce(friend: Friend): void {
    if (this.#own === undefined && !this.#hadOne) return;
    const bytes = this.#own?.bytes ?? new Uint8Array(0);
    this.#options.send(friend, bytesSource(bytes, ""), bytes.length === 0 ? new Uint8Array(32) : this.#hash(bytes));
  }

  #knownOf(friend: Friend): Known {
    const there = this.#known.get(friend);
    if (there !== undefined) return there;
    const load = async () => {
      const bytes = await this.#store.read(recordOf(friend));
      if (bytes !== undefined && bytes.length > 0) known.hash = this.#hash(bytes);
    };
    const known: Known = {
      hash: undefined,
      latest: undefined,
      loaded: Promise.resolve()
        .then(load)
        .catch((error: unknown) => this.#report(error)),
      fetches: new TokenBucket(FETCHES, FETCH_MS),
    };
    this.#known.set(friend, known);
    return known;
  }

  #write(friend: Friend, bytes: Uint8Array): void {
    this.#store.write(recordOf(friend), bytes).catch((error: unknown) => this.#report(error));
  }

  #report(error: unknown): void {
    this.#options.logger.error("the store failed", { reason: messageOf(error) });
  }

  #avatarOf(bytes: Uint8Array): FriendAvatar {
    return { bytes, hash: toHex(this.#hash(bytes)) };
  }

  #hash(bytes: Uint8Array): Uint8Array {
    const hash = new Uint8Array(32);
    this.#options.crypto.provider.sha256(hash, bytes);
    return hash;
  }
}

function recordOf(friend: Friend): string {
  return `avatar-${friend.publicKey}`;
}
