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

export function isReady(relay: PooledRelay): boolean {
  return relay.client?.state === "ready";
}
