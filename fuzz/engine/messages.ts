import type { CampaignResult, Finding } from "./campaign.ts";

/** What a worker is started with. */
export interface WorkerOrder {
  /** The target's module. */
  readonly file: string;
  readonly memory: SharedArrayBuffer;
  readonly seed: string;
  /** The folder whose code inputs shall reach; with none, nobody looks. */
  readonly coverage?: string;
  /** Inputs beside the target's own corpus. */
  readonly extra?: readonly Uint8Array[];
  readonly runs?: number;
  readonly milliseconds?: number;
  /** Instead of a campaign. */
  readonly input?: Uint8Array;
}

/** What it says. `finding` is followed by `result`, unless the target hangs while the input is made smaller. */
export type WorkerMessage =
  | { readonly kind: "finding"; readonly finding: Finding }
  | { readonly kind: "result"; readonly result: CampaignResult };
