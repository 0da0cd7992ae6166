import type { Endpoint } from "../env/datagram.ts";
import { isLanAddress, makeEndpoint, mappedIpv4 } from "../util/endpoint.ts";

/** How many nodes of one /24 (IPv4) or /64 (IPv6) a bucket or a friend's list holds, against sybils. */
export const MAX_NODES_PER_SUBNET = 2;

/** `::ffff:a.b.c.d` as the IPv4 endpoint it is; any other endpoint as it came. */
export function normalizedEndpoint(endpoint: Endpoint): Endpoint {
  if (endpoint.family === 4) return endpoint;
  const ipv4 = mappedIpv4(endpoint.address);
  return ipv4 === undefined ? endpoint : makeEndpoint(ipv4, endpoint.port);
}

/** False for what no node can have: port 0, the unspecified address, multicast, broadcast and reserved IPv4 addresses. */
export function isNodeAddress(endpoint: Endpoint): boolean {
  if (endpoint.port === 0) return false;
  const first = endpoint.address[0] ?? 0;
  if (endpoint.family === 4) return first !== 0 && first < 224;
  return first !== 0xff && endpoint.address.some((byte) => byte !== 0);
}

/** Whether two public addresses lie in one /24 or /64. LAN addresses have no subnet: a home network is one. */
export function sameSubnet(a: Endpoint, b: Endpoint): boolean {
  if (a.family !== b.family) return false;
  const length = a.family === 4 ? 3 : 8;
  for (let i = 0; i < length; i++) if (a.address[i] !== b.address[i]) return false;
  return !isLanAddress(a.address);
}
