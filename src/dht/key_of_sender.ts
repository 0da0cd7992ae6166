import type { KeyBudget } from "../crypto/key_budget.ts";
import type { SharedKey } from "../crypto/keys.ts";
import type { SharedKeyCache } from "../crypto/shared_key_cache.ts";

/** The key with the sender of a packet, or why it is not to be had. */
export type KeyOfSender = (sender: Uint8Array) => SharedKey | "weak-key" | "rate-limited";

/** Strangers' keys count against the budget; `isKnown` says who is none. */
export function keysOfSenders(
  sharedKeys: SharedKeyCache,
  budget: KeyBudget,
  isKnown: (sender: Uint8Array) => boolean,
): KeyOfSender {
  return (sender) =>
    isKnown(sender) ? (sharedKeys.get(sender) ?? "weak-key") : sharedKeys.getForStranger(sender, budget);
}
