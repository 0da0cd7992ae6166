import { KeyMap } from "../util/key_map.ts";
import { randomU32 } from "../util/random_numbers.ts";
import type { Crypto } from "./crypto.ts";
import type { KeyBudget } from "./key_budget.ts";
import type { SecretKey, SharedKey } from "./keys.ts";

/**
 * Shared keys of one secret key with many public keys: an X25519 costs as much as twenty boxes. Keeps two generations:
 * what was used since the last turn-over survives the next, so a flood of new keys cannot push out the busy ones at once.
 */
export class SharedKeyCache {
  readonly #crypto: Crypto;
  readonly #secretKey: SecretKey;
  readonly #generationSize: number;
  readonly #seed: number;
  #young: KeyMap<SharedKey>; // bounded by #generationSize
  #old: KeyMap<SharedKey>; // bounded by #generationSize

  /** Holds at most `limit` keys of 32 bytes, 2 at least. */
  constructor(crypto: Crypto, secretKey: SecretKey, limit = 8192) {
    this.#crypto = crypto;
    this.#secretKey = secretKey;
    this.#generationSize = Math.max(1, limit >> 1);
    this.#seed = randomU32(crypto.random);
    this.#young = new KeyMap(this.#seed);
    this.#old = new KeyMap(this.#seed);
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /**
   * The shared key with the owner of `publicKey`, or undefined for a key of small order. For use in this turn: the cache
   * wipes it when it forgets it. Whoever needs it longer keeps a copy.
   */
  get(publicKey: Uint8Array): SharedKey | undefined {
    const known = this.#find(publicKey);
    if (known !== undefined) return known;
    const shared = this.#crypto.sharedKey(publicKey, this.#secretKey);
    if (shared !== undefined) this.#add(publicKey, shared);
    return shared;
  }

  /** The same for a key that a stranger's packet names: a new one counts against the budget. */
  getForStranger(publicKey: Uint8Array, budget: KeyBudget): SharedKey | "weak-key" | "rate-limited" {
    const known = this.#find(publicKey);
    if (known !== undefined) return known;
    const shared = budget.spend(() => this.#crypto.sharedKey(publicKey, this.#secretKey));
    if (shared === "rate-limited") return shared;
    if (shared === undefined) return "weak-key";
    this.#add(publicKey, shared);
    return shared;
  }

  /** Wipes every key. */
  clear(): void {
    this.#wipeAll(this.#young);
    this.#wipeAll(this.#old);
  }

  /** A key that is kept. It moves to the young ones. */
  #find(publicKey: Uint8Array): SharedKey | undefined {
    const young = this.#young.get(publicKey);
    if (young !== undefined) return young;
    const old = this.#old.get(publicKey);
    if (old === undefined) return undefined;
    this.#old.delete(publicKey);
    this.#add(publicKey, old);
    return old;
  }

  #add(publicKey: Uint8Array, shared: SharedKey): void {
    if (this.#young.size >= this.#generationSize) this.#turnOver();
    this.#young.set(publicKey, shared);
  }

  #turnOver(): void {
    this.#wipeAll(this.#old);
    [this.#young, this.#old] = [this.#old, this.#young];
  }

  #wipeAll(keys: KeyMap<SharedKey>): void {
    for (const key of keys.values()) this.#crypto.wipe(key);
    keys.clear();
  }
}
