import { FIRST_PORT, type NatCase, SECOND_PORT } from "../nat_case.ts";

/** LAN discovery knocks there first. */
const LAN_PORT = 33_445;

/** Routers that two share, and routers behind routers. */
export const sharedRouters: readonly NatCase[] = [
  {
    name: "one-router-hairpin",
    build: (lab) => {
      const router = lab.addRouter("port-restricted");
      const [one, two] = [lab.addInsider(router), lab.addInsider(router)];
      lab.addHairpin(router, one, FIRST_PORT);
      lab.addHairpin(router, two, SECOND_PORT);
      return {
        places: [
          { netns: one.netns, port: FIRST_PORT },
          { netns: two.netns, port: SECOND_PORT },
        ],
      };
    },
  },
  {
    name: "one-router-no-hairpin",
    build: (lab) => {
      const router = lab.addRouter("port-restricted");
      const [one, two] = [lab.addInsider(router), lab.addInsider(router)];
      return {
        places: [
          { netns: one.netns, port: FIRST_PORT },
          { netns: two.netns, port: SECOND_PORT },
        ],
        direct: false,
      };
    },
  },
  {
    name: "one-router-no-hairpin-lan",
    build: (lab) => {
      const router = lab.addRouter("port-restricted");
      const [one, two] = [lab.addInsider(router), lab.addInsider(router)];
      return {
        places: [
          { netns: one.netns, port: LAN_PORT, lan: true },
          { netns: two.netns, port: LAN_PORT, lan: true },
        ],
      };
    },
  },
  {
    name: "double-nat-and-full-cone",
    build: (lab) => {
      const provider = lab.addRouter("port-restricted", { inside: "100.64.0" });
      const [one, two] = [lab.addHome("port-restricted", { behind: provider }), lab.addHome("full-cone")];
      return {
        places: [
          { netns: one.netns, port: FIRST_PORT },
          { netns: two.netns, port: SECOND_PORT },
        ],
      };
    },
  },
  {
    name: "double-nat-pair",
    build: (lab) => {
      const providers = [1, 2].map(() => lab.addRouter("port-restricted", { inside: "100.64.0" }));
      const [one, two] = providers.map((behind) => lab.addHome("port-restricted", { behind }));
      if (one === undefined || two === undefined) throw new Error("two homes, not fewer");
      return {
        places: [
          { netns: one.netns, port: FIRST_PORT },
          { netns: two.netns, port: SECOND_PORT },
        ],
      };
    },
  },
];
