import type { StorePaths } from "./paths.ts";
import type { Vault } from "./vault.ts";

/** Where a store's files are, and what encrypts them: known once the store is open. */
export interface Place {
  readonly paths: StorePaths;
  readonly vault: Vault;
}

/** Opens the store at the first call, and again after a failure. Rejects when it cannot be opened, or is closed. */
export type FindPlace = () => Promise<Place>;
