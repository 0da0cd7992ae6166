/** Host names to addresses. */
export interface Resolver {
  /**
   * The addresses of `host`, 4 or 16 bytes each, in the order to try them. An address in text resolves to itself without
   * asking anyone. Empty where names are looked up by a proxy alone. Rejects with a `ToxError` `host-not-found`.
   */
  resolve(host: string): Promise<Uint8Array[]>;
}
