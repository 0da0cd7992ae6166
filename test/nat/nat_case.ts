import type { Lab } from "./lab/lab.ts";
import type { Person, Place } from "./people.ts";

/** Who plays it: the first is always one of ours. */
export const PAIRS = ["ours-ours", "ours-libtoxcore"] as const;
export type Pair = (typeof PAIRS)[number];

/** Two people in two places of a lab. */
export interface NatCase {
  readonly name: string;
  /** Why it cannot pass yet. It is played all the same; when it passes, this has to go. */
  readonly pending?: string | { readonly [pair in Pair]?: string };
  /** Whether the lab's Internet needs addresses that nothing reserves. Default: no. */
  readonly unreserved?: boolean;
  /** Builds the places of the two. The first adds the second. */
  build(lab: Lab): Stage;
}

export interface Stage {
  readonly places: readonly [Place, Place];
  /** What happens in the middle of the conversation; after it, they talk again. */
  readonly trouble?: (people: readonly [Person, Person]) => Promise<void> | void;
  /** Whether they must end up with a direct path, or which pair must. Default: both. */
  readonly direct?: boolean | Pair;
}

export const [FIRST_PORT, SECOND_PORT] = [33_500, 33_600] as const;
