import { networkNumber } from "../util/endpoint.ts";
import { endpointOf, isReady, type PooledRelay } from "./pooled_relay.ts";

/** Relays that we stay connected to, to be found there: toxcore's RECOMMENDED_FRIEND_TCP_CONNECTIONS. */
const OWN_RELAYS = 3;
/** So many are tried at once, of which the fastest are kept. */
export const TRIED_AT_ONCE = 5;

/**
 * Which relays to connect to for ourselves: while fewer than we want are ready, some more than we want are tried at once,
 * since some will not answer. Those that the app named come first, however many of friends' there are, lest friends choose
 * where we are found; and of them those in networks where we have none. Then come nodes that may be relays, if relays are
 * `needed`.
 */
export function chooseOwn(
  all: readonly PooledRelay[],
  now: number,
  needed: boolean,
  random: (count: number) => number,
): readonly PooledRelay[] {
  const others = all.filter(({ ourServer }) => ourServer === undefined);
  const own = others.filter((relay) => relay.own && relay.client !== undefined);
  const free = others.filter((relay) => !relay.own && relay.retryAt <= now);
  const isGiven = ({ given, isNode }: PooledRelay) => given && !isNode;
  const given = chooseSome(own.filter(isGiven), free.filter(isGiven), own, random);
  const nodes = needed ? free.filter((relay) => relay.isNode) : [];
  const byApp = [...given, ...chooseSome([...own, ...given], nodes, [...own, ...given], random)];
  const told = free.filter((relay) => !relay.given);
  return [...byApp, ...chooseSome([...own, ...byApp], told, [...own, ...byApp], random)];
}

/** Chooses from `free` to have enough beside `chosen`. `near`: where no other need be. */
function chooseSome(
  chosen: readonly PooledRelay[],
  free: readonly PooledRelay[],
  near: readonly PooledRelay[],
  random: (count: number) => number,
): readonly PooledRelay[] {
  if (chosen.filter(isReady).length >= OWN_RELAYS) return [];
  const more: PooledRelay[] = [];
  const left = [...free];
  while (chosen.length + more.length < TRIED_AT_ONCE && left.length > 0) {
    const networks = new Set([...near, ...more].map(networkOf));
    const worth = (relay: PooledRelay) => {
      const network = networkOf(relay);
      return (isReady(relay) ? 2 : 0) + (network !== undefined && networks.has(network) ? 0 : 1);
    };
    const best = Math.max(...left.map(worth));
    const equals = left.filter((relay) => worth(relay) === best);
    const next = equals[random(equals.length)];
    if (next === undefined) break;
    more.push(next);
    left.splice(left.indexOf(next), 1);
  }
  return more;
}

/** Those of our own that are more than we want: friends', those that share a network with a faster one, and the slowest. */
export function surplusOf(all: readonly PooledRelay[]): readonly PooledRelay[] {
  const ready = all.filter((relay) => relay.own && isReady(relay));
  if (ready.length <= OWN_RELAYS) return [];
  const networks = new Set<number>();
  const ranked = ready
    .sort((a, b) => Number(b.given) - Number(a.given) || timeOf(a) - timeOf(b))
    .map((relay) => {
      const network = networkOf(relay);
      const isFirst = network === undefined || !networks.has(network);
      if (network !== undefined) networks.add(network);
      return { relay, rank: (relay.given ? 2 : 0) + (isFirst ? 1 : 0) };
    });
  return ranked
    .sort((a, b) => b.rank - a.rank)
    .slice(OWN_RELAYS)
    .map(({ relay }) => relay);
}

function timeOf({ client }: PooledRelay): number {
  return client?.roundTripMs ?? client?.connectMs ?? Number.POSITIVE_INFINITY;
}

function networkOf(relay: PooledRelay): number | undefined {
  const endpoint = endpointOf(relay);
  return endpoint && networkNumber(endpoint);
}
