import type { Random } from "../../env/random.ts";
import { randomU32 } from "../../util/random_numbers.ts";

/** For so long after adding a friend, after the start and after he was last there, he is searched for in haste. */
export const HASTE = 30_000;
const FIRST_INTERVAL = 50;
const LONGEST_HASTY_INTERVAL = 3_000;
/** As newer toxcore's ANNOUNCE_FRIEND_MAX_INTERVAL. We may be this slow since a friend who comes online finds us. */
const LONGEST_INTERVAL = 3_600_000;
const PATIENCE = 4;
/** Ours: somebody who does not know us is found within 30 s when he comes, since only we look. */
const ONE_SIDED_INTERVAL = 20_000;
const LONGEST_FOUND_INTERVAL = 60_000;
const LONGEST_ABSENCE_FOR_THREE = 300_000;

/** toxcore's MAX_ONION_CLIENTS: how many announce nodes of a friend we keep. */
export const SEARCH_TARGETS = 8;

/** The pause after the `round`th look (from 0) of a hasty search. `share`: the least that many searches leave to each. */
export function hastyInterval(round: number, share: number): number {
  return Math.max(share, Math.min(LONGEST_HASTY_INTERVAL, FIRST_INTERVAL * 2 ** Math.min(round, 10)));
}

/**
 * The pause between looks for somebody absent for `absence` ms: four times as long again; spread widely. He finds us in his
 * own haste when he comes, so this is for when that fails.
 */
export function patientInterval(absence: number, random: Random): number {
  return Math.min(LONGEST_INTERVAL, PATIENCE * absence) * spread(random);
}

/** The pause between looks for somebody who does not look for us. `share`: the least that many such leave to each. */
export function oneSidedInterval(share: number, random: Random): number {
  return Math.max(share, ONE_SIDED_INTERVAL) * spread(random);
}

function spread(random: Random): number {
  return 0.5 + randomU32(random) / 0x1_0000_0000;
}

/** The pause between looks whether somebody found `ago` ms ago, but not connected, is still there. */
export function foundInterval(ago: number): number {
  return Math.max(LONGEST_HASTY_INTERVAL, Math.min(LONGEST_FOUND_INTERVAL, ago / 2));
}

/** How many nodes next to the friend a search has in view. `crowded`: many friends are searched for in haste. */
export function searchWidth(absence: number, crowded: boolean): number {
  if (absence < HASTE && !crowded) return SEARCH_TARGETS;
  return absence < LONGEST_ABSENCE_FOR_THREE ? 3 : 2;
}

/** Of those, how many are asked in one look; the others have their turn the next time. */
export function askedPerLook(width: number): number {
  return width === SEARCH_TARGETS ? SEARCH_TARGETS / 2 : 1;
}
