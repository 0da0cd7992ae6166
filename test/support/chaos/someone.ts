import type { Tox } from "../../../src/core.ts";
import type { SimHost } from "../../../src/testing/index.ts";
import type { CuttableStore } from "./cuttable_store.ts";
import { Lane } from "./lane.ts";

/** One of the people, through all his lives. */
export class Someone {
  readonly name: string;
  readonly host: SimHost;
  readonly secretKey: Uint8Array;
  readonly friends = new Set<Someone>(); // bounded by the story's people
  readonly lanes = new Map<Someone, Lane>(); // what this one sends, to whom
  store: CuttableStore | undefined;
  tox: Tox | undefined;
  life = 0;
  /** How long the app takes for a message, in ms. */
  slowness: readonly [min: number, max: number] = [0, 0];

  constructor(name: string, host: SimHost, secretKey: Uint8Array) {
    this.name = name;
    this.host = host;
    this.secretKey = secretKey;
  }

  laneTo(other: Someone): Lane {
    const known = this.lanes.get(other);
    if (known !== undefined) return known;
    const lane = new Lane();
    this.lanes.set(other, lane);
    return lane;
  }
}
