import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { netnsAvailable } from "../netns.ts";
import { becomeFriends } from "./become_friends.ts";
import { bootstrapArgs, Island, ONLY_THE_PROXY, PROXY } from "./island.ts";
import { startTorNetwork, torAvailable } from "./tor_network.ts";

const available = netnsAvailable() && torAvailable() && spawnSync("strace", ["--version"]).error === undefined;
if (!available)
  console.log("Tor tests skipped: they need root on Linux, strace, and Debian's tor with its service off");

/** Not asked for in CI: the package starts a service that contacts the real network. */
describe.skipIf(!available)("through Tor", () => {
  it("two of ours become friends and talk, each by circuits of its own", async () => {
    await using place = await Island.create();
    await using relays = await place.startRelays("ours");
    await using _tor = await startTorNetwork(place.world, PROXY);
    const flags = (user: string) => ["--proxy", `socks5://${user}:x@${PROXY}`, ...bootstrapArgs(relays.nodes)];
    await using alice = place.startRpc("--name", "Alice", ...flags("alice"));
    await using bob = place.startRpc("--name", "Bob", ...flags("bob"));
    await becomeFriends(alice.program, bob.program);
    for (const one of [alice, bob]) {
      expect(one.log()).toBe("");
      expect(await one.socketUse()).toEqual(ONLY_THE_PROXY);
    }
    expect(place.dropped()).toBe(0);
  });
});
