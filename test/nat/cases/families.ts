import { FIRST_PORT, type NatCase, SECOND_PORT } from "../nat_case.ts";

/** IPv6, and both families side by side. No router is in the way of IPv6 here. */
export const families: readonly NatCase[] = [
  {
    name: "ipv6-only",
    build: (lab) => {
      const [one, two] = [lab.addPublicHost({ ipv4: false }), lab.addPublicHost({ ipv4: false })];
      return {
        places: [
          { netns: one.netns, port: FIRST_PORT, family: "ipv6" },
          { netns: two.netns, port: SECOND_PORT, family: "ipv6" },
        ],
      };
    },
  },
  {
    name: "ipv4-only-and-dual-stack",
    build: (lab) => {
      const [one, two] = [lab.addHome("full-cone"), lab.addPublicHost()];
      return {
        places: [
          { netns: one.netns, port: FIRST_PORT },
          { netns: two.netns, port: SECOND_PORT, ipv6: true },
        ],
      };
    },
  },
];
