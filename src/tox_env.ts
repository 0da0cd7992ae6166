import type { CryptoProvider } from "./crypto/provider.ts";
import type { Edges } from "./env/edges.ts";

/** The outside world of one instance. `toxcore-ts` brings Node's; `toxcore-ts/testing` a simulated one. */
export interface ToxEnv extends Edges {
  readonly crypto: CryptoProvider;
  /** Called when the instance has closed, to let go of what the edges hold. */
  release?(): void;
}
