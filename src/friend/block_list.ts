import { asPublicKey, PUBLIC_KEY_SIZE, type PublicKey } from "../crypto/keys.ts";
import type { Clock } from "../env/clock.ts";
import type { Logger } from "../env/logger.ts";
import type { Store } from "../env/store.ts";
import { KeyMap } from "../util/key_map.ts";
import { Retry } from "../util/retry.ts";
import { ToxError } from "../util/tox_error.ts";

/** People who are blocked. Only our own app can grow it. */
export const MAX_BLOCKED = 4096;

/** The record in the store: `.tox` files have no place for it. 1 version, 1 ‖ 32 public key, for each. */
const RECORD = "blocked";
const VERSION = 1;

/** Whose requests, sessions and packets we want nothing of: friends and strangers. Kept in the store. */
export class BlockList {
  readonly #store: Store | undefined;
  readonly #logger: Logger;
  readonly #keys = new KeyMap<true>(); // at most MAX_BLOCKED
  #writing: Promise<void> | undefined;
  #changed = false;
  readonly #retry: Retry;

  private constructor(store: Store | undefined, logger: Logger, clock: Clock) {
    this.#store = store;
    this.#logger = logger;
    this.#retry = new Retry(clock, () => this.#save());
  }

  static async open(store: Store | undefined, logger: Logger, clock: Clock): Promise<BlockList> {
    const list = new BlockList(store, logger, clock);
    list.#restore((await store?.read(RECORD)) ?? Uint8Array.of(VERSION));
    return list;
  }

  has(key: Uint8Array): boolean {
    return this.#keys.has(key);
  }

  /** In the order they were blocked. */
  list(): PublicKey[] {
    return [...this.#keys.keys()].map((key) => asPublicKey(key.slice()));
  }

  /** Answers whether that was news. Throws `block-list-full`. */
  set(key: PublicKey, on: boolean): boolean {
    if (on === this.#keys.has(key)) return false;
    if (!on) this.#keys.delete(key);
    else if (this.#keys.size < MAX_BLOCKED) this.#keys.set(key, true);
    else throw new ToxError("block-list-full", `Unblock somebody first: ${MAX_BLOCKED} people are blocked already.`);
    this.#save();
    return true;
  }

  /** Resolves when the store has the list as it is now, if it can; one that failed before is tried again. */
  async flush(): Promise<void> {
    if (this.#changed) this.#save();
    await this.#writing;
  }

  /** Writes for the last time. */
  async close(): Promise<void> {
    this.#retry.stop();
    await this.flush();
  }

  #restore(bytes: Uint8Array): void {
    if (bytes[0] !== VERSION || bytes.length % PUBLIC_KEY_SIZE !== 1) {
      this.#logger.error("the list of blocked people is damaged: what is left of it holds", { bytes: bytes.length });
    }
    for (let at = 1; at + PUBLIC_KEY_SIZE <= bytes.length && this.#keys.size < MAX_BLOCKED; at += PUBLIC_KEY_SIZE) {
      this.#keys.set(bytes.subarray(at, at + PUBLIC_KEY_SIZE), true);
    }
  }

  /** One write at a time: what changes meanwhile is written behind it, at once. */
  #save(): void {
    this.#changed = true;
    if (this.#store !== undefined) this.#writing ??= this.#write(this.#store);
  }

  async #write(store: Store): Promise<void> {
    try {
      while (this.#changed) {
        this.#changed = false;
        await store.write(RECORD, this.#encode());
      }
      this.#retry.succeeded();
    } catch (error) {
      this.#changed = true;
      this.#retry.failed();
      this.#logger.error("the store failed", { reason: error instanceof Error ? error.message : String(error) });
    } finally {
      this.#writing = undefined;
    }
  }

  #encode(): Uint8Array {
    const bytes = new Uint8Array(1 + PUBLIC_KEY_SIZE * this.#keys.size);
    bytes[0] = VERSION;
    let at = 1;
    for (const key of this.#keys.keys()) {
      bytes.set(key, at);
      at += PUBLIC_KEY_SIZE;
    }
    return bytes;
  }
}
