import type { Endpoint, IpFamily } from "./datagram.ts";

/** The networks that the machine is in. */
export interface Interfaces {
  /**
   * Where a datagram to `port` reaches everybody near: the broadcast addresses of each interface for IPv4, all-nodes
   * multicast on each for IPv6, and this machine itself. Read anew at each call. For sockets bound with `broadcast`.
   */
  neighbours(family: IpFamily, port: number): readonly Endpoint[];
  /** Calls `listener` when the machine has joined or left a network, until the answered function is called. */
  onChange(listener: () => void): () => void;
}
