import { isNodeAddress, normalizedEndpoint } from "../dht/addresses.ts";
import type { Endpoint } from "../env/datagram.ts";
import type { StreamTarget } from "../env/stream.ts";
import { isLanAddress, isLoopback } from "../util/endpoint.ts";

/** Who names relays: what he says makes us connect to places of his choice. */
export interface RelayTeller {
  /** Where packets of his come from; undefined when that is not known. */
  readonly from: Endpoint | undefined;
  /** Asked for each relay, and each address of one, that he has not named before: whether it may be taken now. */
  mayTakeNew(): boolean;
}

/** How far away something is: whoever is as near himself may name it. */
export const WORLD = 0;
const LAN = 1;
const MACHINE = 2;

/** Of the ports that belong to well-known services, those that relays use to get through firewalls. */
const RELAY_PORTS_BELOW_1024: ReadonlySet<number> = new Set([80, 443]);

export function scopeOf(target: StreamTarget): number {
  if (!("family" in target)) return WORLD;
  const { address } = normalizedEndpoint(target);
  if (isLoopback(address)) return MACHINE;
  return isLanAddress(address) ? LAN : WORLD;
}

/** Whether we may connect to a relay that somebody names. `scope`: of our own relays, for those who are reached over relays. */
export function mayConnectTo(relay: Endpoint, from: Endpoint | undefined, scope: number): boolean {
  if (!isNodeAddress(normalizedEndpoint(relay))) return false;
  if (relay.port < 1024 && !RELAY_PORTS_BELOW_1024.has(relay.port)) return false;
  return mayKnow(relay, from, scope);
}

/** Whether somebody is near enough for this relay to be the same one where he is. */
export function mayKnow(relay: Endpoint, who: Endpoint | undefined, scope: number): boolean {
  return scopeOf(relay) <= (who === undefined ? scope : scopeOf(who));
}
