import { networkNumber } from "../util/endpoint.ts";
import { isReady, type PooledRelay } from "./pooled_relay.ts";

/** Relays that we stay connected to, to be found there: toxcore's RECOMMENDED_FRIEND_TCP_CONNECTIONS. */
const OWN_RELAYS = 3;
/** So many are tried at once, of which the fastest are kept. */
export const TRIED_AT_ONCE = 5;

/**
 * Which relays to connect to for ourselves: while fewer than we want are ready, some more than we want are tried at once,
 * since some will not answer. Those that the app named come first, and each in a network where we have none.
 */
export function chooseOwn(
  all: readonly PooledRelay[],
  now: number,
  random: (count: number) => number,
): readonly PooledRelay[] {
  const own = all.filter((relay) => relay.own && relay.client !== undefined);
  if (own.filter(isReady).length >= OWN_RELAYS) return [];
  const free = all.filter((relay) => !relay.own && relay.retryAt <= now);
  const chosen: PooledRelay[] = [];
  while (own.length + chosen.length < TRIED_AT_ONCE && free.length > 0) {
    const taken = [...own, ...chosen];
    const worth = (relay: PooledRelay) => {
      const isNear = taken.some((other) => networkOf(other) !== undefined && networkOf(other) === networkOf(relay));
      return (relay.given ? 2 : 0) + (isNear ? 0 : 1) + (isReady(relay) ? 4 : 0);
    };
    const best = Math.max(...free.map(worth));
    const equals = free.filter((relay) => worth(relay) === best);
    const next = equals[random(equals.length)];
    if (next === undefined) break;
    chosen.push(next);
    free.splice(free.indexOf(next), 1);
  }
  return chosen;
}

/** Those of our own that are more than we want: the slowest ones, and those that share a network with a faster one first. */
export function surplusOf(all: readonly PooledRelay[]): readonly PooledRelay[] {
  const ready = all.filter((relay) => relay.own && isReady(relay));
  if (ready.length <= OWN_RELAYS) return [];
  const byTime = ready.sort((a, b) => timeOf(a) - timeOf(b));
  const networks = new Set<number>();
  const spread: PooledRelay[] = [];
  const rest: PooledRelay[] = [];
  for (const relay of byTime) {
    const network = networkOf(relay);
    if (network !== undefined && networks.has(network)) rest.push(relay);
    else spread.push(relay);
    if (network !== undefined) networks.add(network);
  }
  return [...spread, ...rest].slice(OWN_RELAYS);
}

function timeOf({ client }: PooledRelay): number {
  return client?.roundTripMs ?? client?.connectMs ?? Number.POSITIVE_INFINITY;
}

function networkOf({ target }: PooledRelay): number | undefined {
  return "family" in target.address ? networkNumber(target.address) : undefined;
}
