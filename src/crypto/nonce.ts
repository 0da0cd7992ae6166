import { NONCE_SIZE, type Nonce } from "./keys.ts";

/** Adds 1 to the nonce read as one big-endian number, in place. */
export function incrementNonce(nonce: Nonce): void {
  addToNonce(nonce, 1);
}

/** Adds `amount` (0 to 2^31) to the nonce read as one big-endian number, in place; it wraps around. */
export function addToNonce(nonce: Nonce, amount: number): void {
  let carry = amount;
  for (let i = NONCE_SIZE - 1; i >= 0 && carry > 0; i--) {
    const sum = (nonce[i] ?? 0) + (carry & 0xff);
    nonce[i] = sum;
    carry = (carry >>> 8) + (sum >> 8);
  }
}

/** The last two bytes, which travel in a data packet in place of the whole nonce. */
export function nonceTail(nonce: Nonce): number {
  return ((nonce[NONCE_SIZE - 2] ?? 0) << 8) | (nonce[NONCE_SIZE - 1] ?? 0);
}
