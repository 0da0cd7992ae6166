import type { LinkProperties } from "../../../src/testing/index.ts";
import { BAD_NETWORK } from "../../support/bad_network.ts";

/** What the network does to datagrams, and how long one has to wait for things in it. */
export interface Weather {
  readonly name: "fair" | "rough";
  readonly link: Partial<LinkProperties>;
  /** In virtual ms. */
  readonly patience: number;
  /** Whether packets arrive: what is not repeated, does so only then. */
  readonly reliable: boolean;
}

const fair: Weather = { name: "fair", link: {}, patience: 60_000, reliable: true };

const rough: Weather = {
  name: "rough",
  link: BAD_NETWORK,
  patience: 300_000,
  reliable: false,
};

export const WEATHERS = { fair, rough } as const;
