import { expect, test } from "vitest";
import type { PublicKey } from "../../../../src/crypto/keys.ts";
import type { AnnounceRequests } from "../../../../src/onion/client/announce_requests.ts";
import type { AnnounceTarget } from "../../../../src/onion/client/announce_targets.ts";
import { FriendSearch } from "../../../../src/onion/client/friend_search.ts";
import type { OnionPath } from "../../../../src/onion/client/onion_path.ts";
import type { PathSet } from "../../../../src/onion/client/path_set.ts";
import { SearchQueue } from "../../../../src/onion/client/search_queue.ts";
import { Ways } from "../../../../src/onion/client/ways.ts";
import { World } from "./support.ts";

const NODES = 8;

/** A search for somebody among nodes that are asked in memory, and answer at once whether they keep him. */
async function searching() {
  const world = new World({ seed: "one search" });
  await world.fill(NODES);
  const { dht, crypto, host, network } = await world.person("alice");
  const { clock } = host.edges;
  const asked: AnnounceTarget[] = [];
  const keepers = new Set<AnnounceTarget>();
  const path = {} as OnionPath;
  const requests = {
    patience: 250,
    send(_owner: unknown, target: AnnounceTarget): boolean {
      asked.push(target);
      target.askedAt = clock.monotonic();
      const isStored = keepers.has(target) ? 1 : 0;
      const body = { isStored, pingIdOrDataKey: new Uint8Array(32), nodes: [], groupAnnounces: undefined };
      const attempt = { owner: search, target, path, announcing: false };
      clock.at(clock.monotonic() + 10, () => search.answered(attempt, body as never, [], clock.monotonic()));
      return true;
    },
  };
  const ways = new Ways({ dht, crypto, network });
  const env = { clock, crypto, ways, queue: new SearchQueue(clock, () => false) };
  const search: FriendSearch = new FriendSearch(
    {
      ...env,
      paths: { take: () => path } as unknown as PathSet,
      requests: requests as unknown as AnnounceRequests,
    },
    crypto.keyPair().publicKey as PublicKey,
    () => {},
  );
  const { universe } = world;
  return { universe, search, asked, keepers };
}

test("a look for somebody who has been away for long asks one node, and another one the next time", async () => {
  const { universe, search, asked } = await searching();
  search.start();
  await universe.run(40_000);
  asked.length = 0;
  for (let looks = 1; looks <= 4; looks++) {
    await universe.runUntil(() => asked.length === looks, { timeout: 24 * 3_600_000 });
    await universe.run(1_000);
    expect(asked).toHaveLength(looks);
  }
  expect(new Set(asked).size).toBe(4);
});

test("once a node says that it keeps him, the others are asked at once", async () => {
  const { universe, search, asked, keepers } = await searching();
  search.start();
  await universe.run(40_000);
  for (const target of asked) keepers.add(target);
  asked.length = 0;
  await universe.runUntil(() => asked.length > 0, { timeout: 24 * 3_600_000 });
  expect(search.found).toBe(false);
  await universe.run(100);
  expect(search.found).toBe(true);
  expect(new Set(asked).size).toBe(NODES);
});
