import type { Endpoint } from "./datagram.ts";

export type MappedProtocol = "udp" | "tcp";

/** Where others reach a mapped port; undefined while they do not. */
export type ReachedAt = (external: Endpoint | undefined) => void;

/** Ports that the router in front of us lets in, for one instance. */
export interface PortMapping {
  /**
   * Asks for one more port, and goes on asking until `close`. Never throws: what fails is logged and counted. `onReached`
   * is called when the port becomes reachable at another address than before; that address is the router's word alone.
   */
  map(protocol: MappedProtocol, port: number, onReached?: ReachedAt): void;
  /** Gives the ports back and ends; it waits a second for the router, no longer. Idempotent, never rejects. */
  close(): Promise<void>;
}

export interface PortMapperOptions {
  /** The local IPv4 address that the ports are bound to; the one towards the router when left out. */
  readonly address?: string;
}

/** Asks routers for ports. Nothing is sent before the first `map`. */
export interface PortMapper {
  open(options?: PortMapperOptions): PortMapping;
}
