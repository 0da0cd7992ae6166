import assert from "node:assert/strict";
import { Crawler } from "../../../support/crawler.ts";
import { nodeOf, type Person } from "../../../support/people.ts";
import type { Stage } from "../stage.ts";

export const tells = "A crawl that begins at one node and asks each for others finds all thirty";

const NODES = 30;

export async function play(stage: Stage): Promise<void> {
  const nodes = await stage.crowd(NODES);
  const known = ({ tox }: Person) => tox.connection === "udp";
  await stage.until("the network to stand", () => nodes.every(known));

  const crawler = await Crawler.start(stage, "the crawler");
  crawler.begin(nodeOf(nodes[0] as Person));
  await stage.until("the crawl to find everybody", () => crawler.found.size >= NODES);
  const keys = nodes.map(({ tox }) => tox.dhtPublicKey);
  assert.deepEqual([...crawler.found.keys()].sort(), keys.sort());
  for (const { tox, host } of nodes) {
    assert.equal(crawler.found.get(tox.dhtPublicKey), `${host.address}:${tox.udpPort}`);
  }
}
