/** Cryptographically strong randomness. Every key, nonce and choice of the core comes from here. */
export interface Random {
  /** Overwrites all of `into` with random bytes. */
  fill(into: Uint8Array): void;
}
