import type { Crypto } from "../../crypto/crypto.ts";
import { MAC_SIZE, NONCE_SIZE, type SharedKey } from "../../crypto/keys.ts";

/** How what lies in a sidecar is written: as it is, or in a box of its own for each entry. */
export interface Sealer {
  /** What is sealed is longer by so much. */
  readonly overhead: number;
  /** Fills `into`, which has the length of `plain` and the overhead. */
  seal(into: Uint8Array, plain: Uint8Array): void;
  /** Undefined for what this key has not sealed. */
  open(sealed: Uint8Array): Uint8Array | undefined;
  wipe(): void;
}

export const plainSealer: Sealer = {
  overhead: 0,
  seal: (into, plain) => into.set(plain),
  open: (sealed) => sealed,
  wipe: () => {},
};

/** nonce 24 ‖ secretbox. Takes the key over. */
export function boxSealer(crypto: Crypto, key: SharedKey): Sealer {
  return {
    overhead: NONCE_SIZE + MAC_SIZE,
    seal: (into, plain) => {
      const nonce = into.subarray(0, NONCE_SIZE);
      crypto.random.fill(nonce);
      crypto.sealInto(into, NONCE_SIZE, plain, nonce, key);
    },
    open: (sealed) => crypto.open(sealed.subarray(NONCE_SIZE), sealed.subarray(0, NONCE_SIZE), key),
    wipe: () => crypto.wipe(key),
  };
}
