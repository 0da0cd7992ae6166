import type { Lab } from "../lab/lab.ts";
import type { RouterKind } from "../lab/router_rules.ts";
import { FIRST_PORT, type NatCase, SECOND_PORT, type Stage } from "../nat_case.ts";

function homes(lab: Lab, first: RouterKind, second: RouterKind, direct: Stage["direct"] = true): Stage {
  const [one, two] = [lab.addHome(first), lab.addHome(second)];
  const places = [
    { netns: one.netns, port: FIRST_PORT },
    { netns: two.netns, port: SECOND_PORT },
  ] as const;
  return { places, direct };
}

/** Two homes, each behind a router of its own. */
export const pairs: readonly NatCase[] = [
  { name: "full-cone-pair", build: (lab) => homes(lab, "full-cone", "full-cone") },
  {
    name: "address-restricted-pair",
    build: (lab) => homes(lab, "address-restricted", "address-restricted"),
  },
  {
    name: "port-restricted-pair",
    build: (lab) => homes(lab, "port-restricted", "port-restricted"),
  },
  {
    name: "symmetric-and-full-cone",
    build: (lab) => homes(lab, "symmetric", "full-cone"),
  },
  {
    name: "symmetric-and-port-restricted",
    build: (lab) => homes(lab, "symmetric", "port-restricted", "ours-ours"),
  },
  { name: "symmetric-pair", build: (lab) => homes(lab, "symmetric", "symmetric", false) },
  { name: "counting-and-full-cone", build: (lab) => homes(lab, "symmetric-counting", "full-cone") },
  { name: "counting-and-port-restricted", build: (lab) => homes(lab, "symmetric-counting", "port-restricted") },
  { name: "counting-pair", build: (lab) => homes(lab, "symmetric-counting", "symmetric-counting", false) },
  {
    name: "udp-blocked",
    build: (lab) => homes(lab, "udp-blocked", "full-cone", false),
  },
  {
    name: "udp-blocked-pair",
    build: (lab) => homes(lab, "udp-blocked", "udp-blocked", false),
  },
];
