import { describe, expect, it } from "vitest";
import { Lan, LanPerson } from "./lan/lan.ts";
import { netnsAvailable } from "./netns.ts";
import { describeInterop, ToxcorePeer } from "./toxcore.ts";

/** What toxcore may take to find a friend in a network of two. */
const PATIENCE_MS = 120_000;

const canNetns = netnsAvailable();
const WAYS = [
  { name: "IPv4", ipv4: true, options: { ipv6: false } },
  { name: "IPv6 and nothing but link-local addresses", ipv4: false, options: { ipv4: false } },
];

describe.skipIf(!canNetns)("in a network with nobody else, and no node to start from", () => {
  for (const { name, ipv4, options } of WAYS) {
    it.concurrent(`two of ours become friends over ${name}`, async () => {
      await using lan = await Lan.create({ ipv4 });
      await using one = await LanPerson.start(lan.one, options);
      await using other = await LanPerson.start(lan.other, options);
      one.add(other.publicKey);
      other.add(one.publicKey);
      expect(await Promise.all([one.online(), other.online()])).toEqual(["udp", "udp"]);
    });

    describeInterop("with libtoxcore", () => {
      it.concurrent(`one of ours and one of theirs become friends over ${name}`, async () => {
        await using lan = await Lan.create({ ipv4 });
        await using ours = await LanPerson.start(lan.one, options);
        await using theirs = await ToxcorePeer.start({
          netns: lan.other.netns,
          localDiscovery: true,
          ipv6: !ipv4,
          startPort: 33445,
          endPort: 33545,
        });
        ours.add(theirs.publicKey);
        await theirs.friendAddNorequest(ours.publicKey);
        const isOurs = ({ friend, state }: { friend: string; state: string }) =>
          friend === ours.publicKey && state !== "none";
        const [state] = await Promise.all([ours.online(), theirs.waitFor("friendConnection", isOurs, PATIENCE_MS)]);
        expect(state).toBe("udp");
      });
    });
  }
});
