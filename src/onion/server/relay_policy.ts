import type { Endpoint } from "../../env/datagram.ts";
import { isLanAddress } from "../../util/endpoint.ts";

/**
 * Whether a request that came from `from` may be passed on to `next`, which its sender chose freely. toxcore sends
 * wherever its sockets reach; here two things are refused besides: what is no single host's address, and what would let
 * strangers on the internet reach through us into our own network. A neighbour's IPv6 address is global, though, so that
 * between families it cannot be told who is one: such a packet goes to DHT nodes of our LAN (`isNodeAt`) and to nothing
 * else there. Repeated nodes, we ourselves among them, are fine: small networks have no others, and every hop takes a
 * layer off, so nothing goes round for ever.
 */
export function mayPassOn(from: Endpoint, next: Endpoint, isNodeAt: (endpoint: Endpoint) => boolean): boolean {
  if (!isHost(next.address)) return false;
  if (!isLanAddress(next.address) || isLanAddress(from.address)) return true;
  return from.family !== next.family && isNodeAt(next);
}

/** Not unspecified, multicast or broadcast. */
function isHost(address: Uint8Array): boolean {
  const [first = 0] = address;
  if (address.length === 4) return first !== 0 && first < 224;
  return first !== 0xff && address.some((byte) => byte !== 0);
}
