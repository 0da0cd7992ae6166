/** Where a DHT node listens. */
export interface NodeAddress {
  readonly host: string;
  readonly port: number;
  /** Its DHT key, 64 hex digits. */
  readonly publicKey: string;
}
