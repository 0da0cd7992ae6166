import { makeEndpoint } from "../util/endpoint.ts";
import type { RelayClient, RelayTarget } from "./relay_client.ts";

/** A relay that we know, connected or not. */
export interface PooledRelay {
  target: RelayTarget;
  /** Told to us by the app, rather than by a friend. */
  given: boolean;
  client: RelayClient | undefined;
  /** Whether it is one that we want for ourselves, not only to reach a friend. */
  own: boolean;
  /** Since it last was ready. */
  failures: number;
  /** Not to be tried before, in monotonic ms. */
  retryAt: number;
}

/** The same relay at the next of its ports. */
export function atNextPort(target: RelayTarget): RelayTarget {
  const { address, otherPorts: [port, ...rest] = [] } = target;
  if (port === undefined) return target;
  const at = "host" in address ? { ...address, port } : makeEndpoint(address.address, port);
  return { ...target, address: at, otherPorts: [...rest, address.port] };
}

export function isReady(relay: PooledRelay): boolean {
  return relay.client?.state === "ready";
}
