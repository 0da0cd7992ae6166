/** 4 for IPv4, 6 for IPv6. */
export type IpFamily = 4 | 6;

/**
 * An IP address and a UDP or TCP port. Immutable; compare with `sameEndpoint`, key maps with `endpointKey`
 * (both in `util/endpoint.ts`). The edges intern the endpoints they report, so that equal ones are mostly identical.
 */
export interface Endpoint {
  readonly family: IpFamily;
  /** 4 or 16 bytes in network order. Never written to. */
  readonly address: Uint8Array;
  /** 1–65535. */
  readonly port: number;
}

/** The longest datagram that the core sends or looks at. toxcore's MAX_UDP_PACKET_SIZE. */
export const MAX_DATAGRAM_SIZE = 2048;

/** Called for each datagram. `bytes` are valid only until the handler returns; `from` may be kept. */
export type DatagramHandler = (bytes: Uint8Array, from: Endpoint) => void;

export interface DatagramSocket {
  readonly family: IpFamily;
  /** The bound port. */
  readonly port: number;
  /** Set once by the owner; datagrams that arrive before that are lost. */
  onDatagram: DatagramHandler | undefined;
  /** Called after `send` has answered false, when there is room again. */
  onWritable: (() => void) | undefined;
  /** A buffer of MAX_DATAGRAM_SIZE bytes from the socket's pool, to be filled and handed to `send` or to `release`. */
  acquire(): Uint8Array;
  /** Gives an acquired buffer back unsent. */
  release(buffer: Uint8Array): void;
  /**
   * Sends the first `length` bytes of an acquired buffer, which belongs to the socket from here on, whatever the answer.
   * False: the socket's queue is full and the datagram was dropped.
   */
  send(buffer: Uint8Array, length: number, to: Endpoint): boolean;
  /** Ends the socket; no handler is called afterwards. */
  close(): void;
}

export interface BindOptions {
  readonly family: IpFamily;
  /** 0 lets the system choose. */
  readonly port: number;
  /** The local address in text; all addresses of the family when left out. */
  readonly address?: string;
  /** Whether the socket may send to everybody in a network. */
  readonly broadcast?: boolean;
}

export interface DatagramPort {
  /** Rejects with a `ToxError`: `port-in-use`, `permission-denied` or `family-unavailable`. */
  bind(options: BindOptions): Promise<DatagramSocket>;
}
