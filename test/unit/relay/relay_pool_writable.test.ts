import { expect, it } from "vitest";
import { RelayPool } from "../../../src/relay/relay_pool.ts";
import type { PeerPath } from "../../../src/relay/relay_route.ts";
import { toHex } from "../../../src/util/bytes.ts";
import { RELAY_ADDRESS, World } from "./world.ts";

it("tells of each peer behind a relay that was full and takes packets again, each being the first in turn", async () => {
  const world = new World();
  const server = await world.relay();
  const keys = world.crypto.keyPair();
  const pool = new RelayPool({ ...world.part(keys, [10, 0, 1, 1]), self: keys });
  pool.addRelay({ publicKey: world.relayKeys.publicKey, address: RELAY_ADDRESS });
  const peers = [world.client([10, 0, 1, 2]), world.client([10, 0, 1, 3])];
  const stranger = world.crypto.keyPair().publicKey; // who is not at the relay
  const paths: PeerPath[] = [];
  const listener = { onPath: (path: PeerPath) => void paths.push(path), onLost: () => {} };
  for (const key of [...peers.map((peer) => peer.key), stranger]) pool.routeTo(key, listener);
  await world.run(50);
  for (const peer of peers) peer.relay.requestRoute(keys.publicKey);
  await world.run(50);
  expect(paths.length).toBe(2);
  const told: string[][] = [];
  const packet = new Uint8Array(1400).fill(27);
  for (let round = 0; round < 2; round++) {
    const heard: string[] = [];
    pool.onWritable = (peer) => void heard.push(toHex(peer));
    while (paths[0]?.send(packet));
    expect(heard).toEqual([]);
    await world.run(50);
    told.push(heard);
  }
  const [first, second] = peers.map((peer) => toHex(peer.key));
  expect(told).toEqual([
    [first, second],
    [second, first],
  ]);
  pool.close();
  server.close();
});
