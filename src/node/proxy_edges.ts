import type { DatagramPort } from "../env/datagram.ts";
import type { Resolver } from "../env/resolver.ts";
import { parseAddress } from "../util/endpoint.ts";
import { ToxError } from "../util/tox_error.ts";

/** UDP would go past the proxy. */
export const noDatagrams: DatagramPort = {
  async bind() {
    throw new ToxError("network-unavailable", "With a proxy nothing is sent over UDP: set udp to false.");
  },
};

/** DNS would go past the proxy: only addresses in text resolve, names are for the proxy to look up. */
export const literalResolver: Resolver = {
  async resolve(host) {
    const literal = parseAddress(host);
    return literal === undefined ? [] : [literal];
  },
};
