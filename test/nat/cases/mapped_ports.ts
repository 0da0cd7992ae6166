import { FIRST_PORT, type NatCase, SECOND_PORT } from "../nat_case.ts";

/** Of two behind symmetric routers one asks his router for his port: his friend is told where it is. */
export const mappedPorts: readonly NatCase[] = (["pcp", "upnp"] as const).map((maps) => ({
  name: `symmetric-pair-mapped-${maps}`,
  unreserved: true, // miniupnpd maps no ports on reserved addresses
  build: (lab) => {
    const [one, two] = [lab.addHome("symmetric", { maps }), lab.addHome("symmetric")];
    return {
      places: [
        { netns: one.netns, port: FIRST_PORT, mapPorts: true },
        { netns: two.netns, port: SECOND_PORT },
      ],
    };
  },
}));
