import assert from "node:assert/strict";
import { nodeOf } from "../../../support/people.ts";
import type { Stage } from "../stage.ts";

export const tells = "Who knows one living node comes into the network, dead and false ones beside it or not";

export async function play(stage: Stage): Promise<void> {
  const first = await stage.person("the first node");
  const gone = await stage.person("a node that is gone");
  const [living, dead] = [nodeOf(first), nodeOf(gone)];
  gone.host.crash();
  const impostor = { ...living, publicKey: gone.tox.dhtPublicKey };

  const alice = await stage.person("Alice", { bootstrap: [dead, impostor, living] });
  await stage.hears(alice, "connection", ({ state }) => state === "udp");

  // Alice, who had to be told of a node, is one herself by now.
  const bob = await stage.person("Bob", { bootstrap: [nodeOf(alice)] });
  await stage.hears(bob, "connection", ({ state }) => state === "udp");

  const carol = await stage.person("Carol", { bootstrap: [dead, impostor] });
  await stage.pass(60_000);
  assert.equal(carol.tox.connection, "none");
  await carol.tox.bootstrap(living);
  await stage.hears(carol, "connection", ({ state }) => state === "udp");
  await stage.until("everybody to know the others", () =>
    [first, alice, bob, carol].every(({ tox }) => tox.nodeCount >= 3),
  );
}
