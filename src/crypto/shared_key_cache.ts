import type { Endpoint } from "../env/datagram.ts";
import { randomU32 } from "../util/random_numbers.ts";
import type { Crypto } from "./crypto.ts";
import type { KeyBudget } from "./key_budget.ts";
import { KeySlab } from "./key_slab.ts";
import { type SecretKey, SHARED_KEY_SIZE, type SharedKey } from "./keys.ts";

/** Why a box stays closed. */
export type Unopened = "weak-key" | "rate-limited" | "forged";

/**
 * Shared keys of one secret key with many public keys: an X25519 costs as much as forty small boxes. A stranger's key comes
 * in once it has opened a box: who sends garbage displaces nobody.
 */
export class SharedKeyCache {
  readonly #crypto: Crypto;
  readonly #secretKey: SecretKey;
  readonly #kept: KeySlab;
  readonly #fresh = new Uint8Array(SHARED_KEY_SIZE) as Uint8Array as SharedKey;

  /** Holds at most `limit` keys, of which each takes some 80 bytes. */
  constructor(crypto: Crypto, secretKey: SecretKey, limit = 8192) {
    this.#crypto = crypto;
    this.#secretKey = secretKey;
    this.#kept = new KeySlab(limit, randomU32(crypto.random));
  }

  get size(): number {
    return this.#kept.size;
  }

  /**
   * The shared key with the owner of `publicKey`, or undefined for a key of small order. For use in this turn: its place is
   * given to another some time after it was forgotten. Whoever needs it longer keeps a copy.
   */
  get(publicKey: Uint8Array): SharedKey | undefined {
    const known = this.#kept.get(publicKey);
    if (known !== undefined) return known;
    if (!this.#make(publicKey)) return undefined;
    return this.#keep(publicKey);
  }

  /** Opens a box if the key with the owner of `publicKey` is at hand; undefined when it is not. */
  openKept(
    publicKey: Uint8Array,
    box: Uint8Array,
    nonce: Uint8Array,
    into?: Uint8Array,
  ): Uint8Array | "forged" | undefined {
    const kept = this.#kept.get(publicKey);
    return kept && (this.#crypto.open(box, nonce, kept, into) ?? "forged");
  }

  /** Opens a box from the owner of `publicKey` into `into`, new bytes when left out, and answers what it holds. */
  open(publicKey: Uint8Array, box: Uint8Array, nonce: Uint8Array, into?: Uint8Array): Uint8Array | Unopened {
    const opened = this.openKept(publicKey, box, nonce, into);
    if (opened !== undefined) return opened;
    return this.#make(publicKey) ? this.#openFresh(publicKey, box, nonce, into) : "weak-key";
  }

  /** The same for a key that a stranger's packet names: a new one counts against the budget, and his network's part of it. */
  openFromStranger(
    publicKey: Uint8Array,
    box: Uint8Array,
    nonce: Uint8Array,
    budget: KeyBudget,
    into?: Uint8Array,
    from?: Endpoint,
  ): Uint8Array | Unopened {
    const opened = this.openKept(publicKey, box, nonce, into);
    if (opened !== undefined) return opened;
    const made = budget.spend(() => this.#make(publicKey), from);
    if (made === "rate-limited") return made;
    if (!made) {
      budget.forged();
      return "weak-key";
    }
    const message = this.#openFresh(publicKey, box, nonce, into);
    if (message === "forged") budget.forged();
    return message;
  }

  /** Wipes every key. */
  clear(): void {
    this.#kept.clear();
  }

  /** Opens with the key that was just made, and keeps it if it fits. */
  #openFresh(publicKey: Uint8Array, box: Uint8Array, nonce: Uint8Array, into?: Uint8Array): Uint8Array | "forged" {
    const message = this.#crypto.open(box, nonce, this.#fresh, into);
    if (message === undefined) this.#crypto.wipe(this.#fresh);
    else this.#keep(publicKey);
    return message ?? "forged";
  }

  #make(publicKey: Uint8Array): boolean {
    return this.#crypto.provider.sharedKey(this.#fresh, publicKey, this.#secretKey);
  }

  #keep(publicKey: Uint8Array): SharedKey {
    const kept = this.#kept.add(publicKey, this.#fresh);
    this.#crypto.wipe(this.#fresh);
    return kept;
  }
}
