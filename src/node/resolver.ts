import { lookup } from "node:dns/promises";
import type { Resolver } from "../env/resolver.ts";
import { parseAddress } from "../util/endpoint.ts";
import { ToxError } from "../util/tox_error.ts";

/** Asks the system: its hosts file, then its DNS servers. */
export const nodeResolver: Resolver = {
  async resolve(host) {
    const literal = parseAddress(host);
    if (literal !== undefined) return [literal];
    if (host === "") throw notFound(host);
    const addresses: Uint8Array[] = [];
    try {
      for (const { address } of await lookup(host, { all: true, order: "verbatim" })) {
        const bytes = parseAddress(address);
        if (bytes !== undefined) addresses.push(bytes);
      }
    } catch (cause) {
      throw notFound(host, { cause });
    }
    if (addresses.length === 0) throw notFound(host);
    return addresses;
  },
};

function notFound(host: string, options?: ErrorOptions): ToxError {
  const message = `The host name "${host}" has no address: check its spelling and this machine's DNS.`;
  return new ToxError("host-not-found", message, options);
}
