import { beforeEach, describe, expect, it } from "vitest";
import { RelayPool } from "../../../src/relay/relay_pool.ts";
import type { RelayServer } from "../../../src/relay/relay_server.ts";
import { makeEndpoint } from "../../../src/util/endpoint.ts";
import { PORT, RELAY_ADDRESS, World } from "./world.ts";

/** Nobody listens there. */
const DEAD_ADDRESS = makeEndpoint(Uint8Array.of(10, 0, 0, 1), 33445);

let world: World;
let server: RelayServer;
let pool: RelayPool;

beforeEach(async () => {
  world = new World();
  server = await world.relay();
  const { keyPair, ...part } = world.part(world.crypto.keyPair(), [10, 0, 1, 1]);
  pool = new RelayPool({ ...part, self: keyPair });
});

const at = (address = RELAY_ADDRESS) => ({ publicKey: world.relayKeys.publicKey, address });
const connected = async (ms = 100) => {
  await world.run(ms);
  return server.connectionCount === 1 && pool.hops().length === 1;
};

describe("a pool of relays", () => {
  it("leaves nodes alone that may be relays until relays are needed", async () => {
    pool.addNode(at());
    expect(await connected(60_000)).toBe(false);
    pool.need();
    expect(await connected()).toBe(true);
  });

  it("takes a node for a relay at once that the app names as one, or when relays are needed already", async () => {
    pool.addNode(at());
    pool.addRelay(at());
    expect(await connected()).toBe(true);
    pool.close();
    const { keyPair, ...part } = world.part(world.crypto.keyPair(), [10, 0, 1, 2]);
    pool = new RelayPool({ ...part, self: keyPair });
    pool.need();
    pool.addNode(at());
    expect(await connected()).toBe(true);
  });

  it("tries the port that the app names before the one that the node has for UDP, whatever is said first", async () => {
    pool.need();
    pool.addNode(at(DEAD_ADDRESS));
    pool.addRelay(at());
    expect(await connected(1_100)).toBe(true);
    pool.addNode(at(DEAD_ADDRESS));
    expect(await connected()).toBe(true);
    expect(pool.toShare(3)).toEqual([{ publicKey: at().publicKey, endpoint: RELAY_ADDRESS, transport: "tcp" }]);
  });

  it("tries each address that it was told", async () => {
    pool.addRelay(at());
    pool.addRelay(at({ ...DEAD_ADDRESS, port: PORT + 1 }));
    pool.addRelay(at(DEAD_ADDRESS));
    expect(await connected(10_000)).toBe(true);
  });

  it("does not share a relay that it knows by name, as long as it does not know where that is", async () => {
    pool.addRelay({ publicKey: world.relayKeys.publicKey, address: { host: "relay.example", port: PORT } });
    expect(await connected()).toBe(true);
    expect(pool.toShare(3)).toEqual([]);
  });

  it("has room for no more than 64 nodes", async () => {
    pool.need();
    for (let i = 0; i < 100; i++) pool.addNode({ publicKey: world.crypto.keyPair().publicKey, address: DEAD_ADDRESS });
    pool.addRelay(at());
    expect(await connected(1_100)).toBe(true);
  });
});
