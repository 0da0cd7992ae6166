import type { LinkProperties } from "../../src/testing/index.ts";

/** One datagram in five is lost, one in ten comes twice, and one in five late. */
export const BAD_NETWORK = {
  loss: 0.2,
  duplication: 0.1,
  reordering: 0.2,
} as const satisfies Partial<LinkProperties>;
