import { ToxError } from "./util/tox_error.ts";

/** A node that helps us into the network. */
export interface BootstrapNode {
  /** A name or an address. */
  readonly host: string;
  /** Its UDP port, 1–65535. */
  readonly port: number;
  /** Its DHT public key, 64 hex digits: not a Tox ID, nor the beginning of one. */
  readonly publicKey: string;
  /** Where it is a TCP relay as well, the ports to try first first; on the port of UDP when left out, nowhere when empty. */
  readonly tcpPorts?: readonly number[];
}

/** Reads `HOST:PORT:KEY`, an IPv6 address in brackets: `[2001:db8::1]:33445:KEY`. Throws `invalid-argument`. */
export function parseBootstrapNode(text: string): BootstrapNode {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5}):([0-9a-fA-F]{64})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || match?.[4] === undefined || port < 1 || port > 65535) {
    throw new ToxError(
      "invalid-argument",
      `"${text}" is no node: write HOST:PORT:KEY with the node's DHT key of 64 hex digits, and an IPv6 address in brackets.`,
    );
  }
  return { host, port, publicKey: match[4] };
}
