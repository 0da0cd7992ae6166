import type { PublicKey } from "../crypto/keys.ts";
import type { StreamTarget } from "../env/stream.ts";
import type { RelayClient } from "./relay_client.ts";

/** Who told us of a relay: the app, a friend, or the app by naming a node that may be a relay as well. */
export type RelaySource = "app" | "friend" | "node";

/** A relay that we know, connected or not. */
export interface PooledRelay {
  readonly publicKey: PublicKey;
  /** Where it is said to be: the first is tried next, and goes to the end when nobody answers there. */
  readonly addresses: StreamTarget[]; // bounded by the pool's MAX_ADDRESSES, never empty
  source: RelaySource;
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
