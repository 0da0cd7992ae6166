import { sameBytes } from "../../util/bytes.ts";
import type { AnnounceTarget } from "./announce_targets.ts";

/**
 * Announce nodes that say where a friend is stored, by the data key that they name. A node that lies about the key learns
 * who writes to whom (c-toxcore #1121), and there is nothing to check the key against but the other nodes.
 */
export function byDataKey(stored: readonly AnnounceTarget[]): AnnounceTarget[][] {
  const groups: AnnounceTarget[][] = [];
  for (const target of stored) {
    const group = groups.find(
      ([first]) => first?.dataKey && target.dataKey && sameBytes(first.dataKey, target.dataKey),
    );
    if (group === undefined) groups.push([target]);
    else group.push(target);
  }
  return groups;
}

/**
 * Whether so many of the nodes that answer say that they keep him that he is likely there: more than a quarter of the
 * others, as toxcore's send_onion_data has it. One liar among many then learns nothing.
 */
export function isLikely(stored: number, live: number): boolean {
  return stored > 0 && stored >= Math.floor((live - 1) / 4) + 1;
}

/** Whether two nodes name the same key. */
export function haveAgreed(stored: readonly AnnounceTarget[]): boolean {
  return byDataKey(stored).some((group) => group.length > 1);
}

/**
 * Where to send data: to the nodes that agree with others when there are such, else to all. `trustAll` is for when that
 * has been of no avail: liars in concert must not keep the one honest node from us.
 */
export function trustedTargets(stored: readonly AnnounceTarget[], trustAll: boolean): readonly AnnounceTarget[] {
  if (trustAll) return stored;
  const agreed = byDataKey(stored).filter((group) => group.length > 1);
  return agreed.length === 0 ? stored : agreed.flat();
}
