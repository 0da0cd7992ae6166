import type { MappedProtocol } from "../../env/port_mapper.ts";

/** What a router has granted. */
export interface Grant {
  readonly externalPort: number;
  /** The router's outer address in bytes; undefined when it does not say. */
  readonly externalAddress: Uint8Array | undefined;
  /** For how long, in s; 0: until it is taken back. */
  readonly lifetime: number;
}

/** A router that maps ports, whatever it is asked with. */
export interface Gateway {
  readonly kind: "pcp" | "nat-pmp" | "upnp";
  /** Asks for `port` from outside to lead to `port` here for so many s. Rejects when it is refused or not answered. */
  map(protocol: MappedProtocol, port: number, seconds: number, signal: AbortSignal): Promise<Grant>;
  /** Rejects when it is refused or not answered. */
  unmap(protocol: MappedProtocol, port: number, externalPort: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** What goes wrong with a router: for the log, in words of ours. */
export class GatewayError extends Error {}
