/** What a relay bears. An address is an IPv4 address, or an IPv6 network of 48 bits. */
export interface RelayLimits {
  /** Connections whose handshake has not come; the oldest gives way. toxcore's MAX_INCOMING_CONNECTIONS. */
  readonly handshakes: number;
  /** Connections after the handshake whose first packet has not come; the oldest gives way. */
  readonly unconfirmed: number;
  /** Connections in use. toxcore has no bound. */
  readonly clients: number;
  /** Of the two kinds first named, from one address; its own oldest gives way. */
  readonly pendingPerAddress: number;
  readonly clientsPerAddress: number;
  /** New connections from one address: at once, and a second in the long run. */
  readonly newBurst: number;
  readonly newPerSecond: number;
  /** What one address may have us work: bytes received, and COST_OF_PACKET for each packet. At once, and a second. */
  readonly workBurst: number;
  readonly workPerSecond: number;
  /** Bytes that may wait to be sent to one client, with what keeping them costs; data is dropped from three quarters on. */
  readonly queueBytes: number;
  /** Clients for whom more than 16 KiB may wait: in all, and of one address. */
  readonly slowReaders: number;
  readonly slowReadersPerAddress: number;
}

/** Opening and sealing a packet of no length takes as long as so many bytes of a long one. */
export const COST_OF_PACKET = 512;

export const DEFAULT_RELAY_LIMITS: RelayLimits = {
  handshakes: 256,
  unconfirmed: 256,
  clients: 8192,
  pendingPerAddress: 128,
  clientsPerAddress: 2048,
  newBurst: 1024,
  newPerSecond: 50,
  workBurst: 16 * 1024 * 1024,
  workPerSecond: 64 * 1024 * 1024,
  queueBytes: 256 * 1024,
  slowReaders: 512,
  slowReadersPerAddress: 128,
};
