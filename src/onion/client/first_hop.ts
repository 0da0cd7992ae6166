import type { PublicKey } from "../../crypto/keys.ts";
import type { Endpoint } from "../../env/datagram.ts";
import { sameBytes, toHex } from "../../util/bytes.ts";
import { endpointKey, sameEndpoint } from "../../util/endpoint.ts";

/** Where a path begins, and where its answers come from: a node's UDP address, or a TCP relay that we are connected to. */
export type FirstHop = { readonly endpoint: Endpoint } | { readonly relay: PublicKey };

export function sameFirstHop(a: FirstHop, b: FirstHop): boolean {
  if ("relay" in a) return "relay" in b && sameBytes(a.relay, b.relay);
  return "endpoint" in b && sameEndpoint(a.endpoint, b.endpoint);
}

/** A string that equal hops share, for maps. */
export function firstHopKey(hop: FirstHop): string {
  return "relay" in hop ? `relay ${toHex(hop.relay)}` : endpointKey(hop.endpoint);
}
