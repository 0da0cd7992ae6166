/** Why a packet was not taken. Counted by the floor that received it, never answered. */
export type DropReason =
  | "truncated"
  | "oversized"
  | "malformed"
  | "forged"
  | "weak-key"
  | "unsolicited"
  | "blocked"
  | "replayed"
  | "expired"
  | "wrong-key"
  | "wrong-address"
  | "not-for-us"
  | "unknown-id"
  | "out-of-window"
  | "rate-limited"
  | "table-full";

/** Where decoders say why they took nothing: `return drop("truncated")`. */
export type Drop = (reason: DropReason) => undefined;

/** For callers that do not count. */
export const ignoreDrop: Drop = () => undefined;
