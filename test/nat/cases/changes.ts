import { setTimeout as pass } from "node:timers/promises";
import { FIRST_PORT, type NatCase, SECOND_PORT } from "../nat_case.ts";

/** What a router needs to start. */
const REBOOT_MS = 5_000;

/** Routers that change while two talk. */
export const changes: readonly NatCase[] = [
  {
    name: "mapping-change",
    build: (lab) => {
      const [one, two] = [lab.addHome("port-restricted"), lab.addHome("full-cone")];
      return {
        places: [
          { netns: one.netns, port: FIRST_PORT },
          { netns: two.netns, port: SECOND_PORT },
        ],
        trouble: () => lab.remap(one.router, "40000-50000"),
      };
    },
  },
  {
    name: "router-reboot",
    build: (lab) => {
      const [one, two] = [lab.addHome("port-restricted"), lab.addHome("full-cone")];
      return {
        places: [
          { netns: one.netns, port: FIRST_PORT },
          { netns: two.netns, port: SECOND_PORT },
        ],
        trouble: async () => {
          lab.setPower(one.router, "off");
          await pass(REBOOT_MS);
          lab.setPower(one.router, "on");
        },
      };
    },
  },
];
