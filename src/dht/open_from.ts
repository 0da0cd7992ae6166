import type { KeyBudget } from "../crypto/key_budget.ts";
import type { SharedKeyCache, Unopened } from "../crypto/shared_key_cache.ts";
import type { Endpoint } from "../env/datagram.ts";

/** Opens a box that `sender` has made for us, into `into` or into new bytes, or says why not. `from`: where it came from. */
export type OpenFrom = (
  sender: Uint8Array,
  box: Uint8Array,
  nonce: Uint8Array,
  into?: Uint8Array,
  from?: Endpoint,
) => Uint8Array | Unopened;

/** Strangers' keys count against the budget; `isKnown` says who is none. */
export function openFromAnybody(
  sharedKeys: SharedKeyCache,
  budget: KeyBudget,
  isKnown: (sender: Uint8Array) => boolean,
): OpenFrom {
  return (sender, box, nonce, into, from) => {
    const opened = sharedKeys.openKept(sender, box, nonce, into);
    if (opened !== undefined) {
      if (from !== undefined && opened !== "forged") budget.heard(from);
      return opened;
    }
    return isKnown(sender)
      ? sharedKeys.open(sender, box, nonce, into)
      : sharedKeys.openFromStranger(sender, box, nonce, budget, into, from);
  };
}
