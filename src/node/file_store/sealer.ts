import type { Crypto } from "../../crypto/crypto.ts";
import { MAC_SIZE, NONCE_SIZE, type SharedKey } from "../../crypto/keys.ts";

/** How what lies in a sidecar is written: as it is, or in a box of its own for each entry. */
export interface Sealer {
  seal(plain: Uint8Array): Uint8Array;
  /** Undefined for what this key has not sealed. */
  open(sealed: Uint8Array): Uint8Array | undefined;
  wipe(): void;
}

export const plainSealer: Sealer = {
  seal: (plain) => plain,
  open: (sealed) => sealed,
  wipe: () => {},
};

/** nonce 24 ‖ secretbox. Takes the key over. */
export function boxSealer(crypto: Crypto, key: SharedKey): Sealer {
  return {
    seal: (plain) => {
      const sealed = new Uint8Array(NONCE_SIZE + plain.length + MAC_SIZE);
      const nonce = crypto.nonce();
      sealed.set(nonce);
      crypto.sealInto(sealed, NONCE_SIZE, plain, nonce, key);
      return sealed;
    },
    open: (sealed) => crypto.open(sealed.subarray(NONCE_SIZE), sealed.subarray(0, NONCE_SIZE), key),
    wipe: () => crypto.wipe(key),
  };
}
