import { describe, expect, it } from "vitest";
import type { DhtOptions } from "../../../src/dht/dht.ts";
import { HolePuncher, punchBudget } from "../../../src/dht/hole_puncher.ts";
import type { AgreedAddress } from "../../../src/dht/told_endpoints.ts";
import type { Endpoint } from "../../../src/env/datagram.ts";
import { MemoryMetrics } from "../../../src/env/metrics.ts";
import { SeededRandom } from "../../../src/testing/seeded_random.ts";
import { Timeline } from "../../../src/testing/timeline.ts";
import { VirtualClock } from "../../../src/testing/virtual_clock.ts";
import { makeEndpoint, sameEndpoint } from "../../../src/util/endpoint.ts";
import type { TokenBucket } from "../../../src/util/token_bucket.ts";
import { FilteredNats, type NatBehaviour } from "../../support/filtered_nat.ts";
import { DhtWorld, join, PORT, type WorldNode } from "./dht_world.ts";

/** Three public nodes that know one another, and two people who have joined; neither has heard of the other. */
async function homes(
  one: NatBehaviour,
  other: NatBehaviour,
  options: Partial<DhtOptions> = {},
  { seed = 1, loss = 0 } = {},
) {
  const world = new DhtWorld({ seed });
  const nodes = await world.crowd(3);
  await world.universe.run(3_000);
  const nats = new FilteredNats(world.universe, loss);
  const person = async (name: string, behaviour: NatBehaviour) => {
    const host = world.universe.host(name);
    nats.put(host, PORT, behaviour);
    const node = await world.start(name, host, options);
    join(node, nodes[0] as WorldNode);
    return node;
  };
  const [alice, bob] = [await person("alice", one), await person("bob", other)];
  await world.universe.run(5_000);
  return { world, nodes, alice, bob };
}

/** Whether each answers the other, as each knows it. */
function search(alice: WorldNode, bob: WorldNode) {
  const found = { alice: [] as Endpoint[], bob: [] as Endpoint[] };
  alice.dht.lookUp(bob.publicKey, (endpoint) => found.alice.push(endpoint));
  bob.dht.lookUp(alice.publicKey, (endpoint) => found.bob.push(endpoint));
  return {
    found,
    isDirect: () =>
      alice.dht.isNodeAt(found.alice.at(-1) ?? alice.endpoint) && bob.dht.isNodeAt(found.bob.at(-1) ?? bob.endpoint),
  };
}

describe("two people behind NATs", () => {
  it("that keep the port answer each other within a moment", async () => {
    const { world, alice, bob } = await homes({}, {});
    const { isDirect } = search(alice, bob);
    await world.universe.runUntil(isDirect, { timeout: 2_500 });
  });

  for (const step of [1, 2]) {
    it(`of which one gives out every ${step}. port in turn answer each other within a moment`, async () => {
      const { world, alice, bob } = await homes({}, { symmetric: { firstPort: 50_000, step } });
      const { isDirect, found } = search(alice, bob);
      await world.universe.runUntil(isDirect, { timeout: 2_500 });
      const seen = found.alice.at(-1) as Endpoint;
      expect(seen.port).not.toBe(PORT);
      expect(sameEndpoint(found.bob.at(-1) as Endpoint, alice.endpoint)).toBe(true);
    });
  }

  it("of which one counts its ports do not when told not to punch", async () => {
    const { world, alice, bob } = await homes({}, { symmetric: { firstPort: 50_000 } }, { holePunching: false });
    const { isDirect } = search(alice, bob);
    await world.universe.run(20_000);
    expect(isDirect()).toBe(false);
    expect(alice.count("dht.punch.sent") + alice.count("dht.natPing.sent")).toBe(0);
  });

  it("answer each other even when every fifth datagram is lost", async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { world, alice, bob } = await homes({}, { symmetric: { firstPort: 50_000 } }, {}, { seed, loss: 0.2 });
      const { isDirect } = search(alice, bob);
      await world.universe.runUntil(isDirect, { timeout: 10_000 });
    }
  });

  it("that cannot be guessed do no harm to each other, nor to the nodes between", async () => {
    const { world, nodes, alice, bob } = await homes(
      { symmetric: { firstPort: 20_000, step: 977 } },
      { symmetric: { firstPort: 30_000, step: 1009 } },
    );
    const { isDirect } = search(alice, bob);
    const passedOn = () => nodes.reduce((sum, node) => sum + node.count("dht.dhtRequest.passedOn"), 0);
    await world.universe.run(60_000);
    expect(isDirect()).toBe(false);
    const [punched, passed] = [alice.count("dht.punch.sent"), passedOn()];
    expect(punched).toBeGreaterThan(100);
    expect(punched).toBeLessThanOrEqual(96 + 60 * 16);
    await world.universe.run(3_600_000);
    expect(alice.count("dht.punch.sent") - punched).toBeLessThanOrEqual(48 * 70);
    expect(passedOn() - passed).toBeLessThan(3_600);
  });

  it("end what they do with the search", async () => {
    const { world, alice, bob } = await homes({ symmetric: { firstPort: 20_000, step: 977 } }, {});
    const lookup = bob.dht.lookUp(alice.publicKey, () => {});
    alice.dht.lookUp(bob.publicKey, () => {});
    await world.universe.run(2_000);
    lookup.stop();
    const before = bob.count("dht.punch.sent") + bob.count("dht.natPing.sent");
    await world.universe.run(30_000);
    expect(bob.count("dht.punch.sent") + bob.count("dht.natPing.sent")).toBe(before);
  });
});

describe("a puncher", () => {
  const address = Uint8Array.of(203, 0, 113, 9);

  function puncher(options: { ports?: readonly number[]; budget?: TokenBucket } = {}) {
    const timeline = new Timeline();
    const state = {
      timeline,
      isDirect: false,
      agreed: { address, ports: options.ports ?? [5000, 5001, 5002] } as AgreedAddress | undefined,
      pings: [] as Endpoint[],
      natPings: [] as bigint[],
      budget: options.budget ?? punchBudget(),
    };
    const hole = new HolePuncher({
      clock: new VirtualClock(timeline, 0),
      random: new SeededRandom(1),
      metrics: new MemoryMetrics(),
      budget: state.budget,
      isDirect: () => state.isDirect,
      agreed: (family) => (family === 4 ? state.agreed : undefined),
      ping: (endpoint) => state.pings.push(endpoint),
      requestNatPing: (id) => state.natPings.push(id),
    });
    const pass = (ms: number) => {
      const end = timeline.now + ms;
      while (timeline.step(end));
      timeline.advance(end);
    };
    return { state, hole, pass };
  }

  it("does nothing before several nodes agree on an address, and nothing when he answers", () => {
    const { state, hole, pass } = puncher();
    const { agreed } = state;
    state.agreed = undefined;
    hole.consider();
    hole.heardRequest();
    pass(60_000);
    state.agreed = agreed;
    state.isDirect = true;
    hole.consider();
    hole.heardRequest();
    pass(60_000);
    expect([state.pings, state.natPings]).toEqual([[], []]);
  });

  it("asks, and punches only when he answers with the number that was sent, once", () => {
    const { state, hole, pass } = puncher();
    hole.consider();
    pass(500);
    const [id] = state.natPings;
    expect(state.natPings.length).toBe(1);
    expect(state.pings).toEqual([]);
    expect(hole.heardResponse((id as bigint) ^ 1n)).toBe(false);
    expect(state.pings).toEqual([]);
    expect(hole.heardResponse(id as bigint)).toBe(true);
    expect(state.pings.length).toBe(48);
    expect(hole.heardResponse(id as bigint)).toBe(false);
    expect(state.pings.length).toBe(48);
  });

  it("punches at once when he tries", () => {
    const { state, hole } = puncher({ ports: [5000, 5000, 5000] });
    hole.heardRequest();
    expect(state.pings).toEqual([makeEndpoint(address, 5000)]);
  });

  it("sends an address no more than 48 pings at once and 16 a second, however often he is heard and wherever he is said to be", () => {
    const { state, hole, pass } = puncher();
    for (let i = 0; i < 60_000; i++) {
      state.agreed = { address, ports: [2000 + (i % 50_000), 1024 + ((i * 7) % 60_000)] };
      hole.consider();
      hole.heardRequest();
      const before = state.pings.length;
      pass(1);
      expect(state.pings.length - before).toBeLessThanOrEqual(48);
    }
    expect(state.pings.length).toBeLessThanOrEqual(96 + 60 * 16);
  });

  it("shares a budget with all others", () => {
    const budget = punchBudget();
    const punchers = Array.from({ length: 200 }, () => puncher({ budget }));
    for (const { hole } of punchers) hole.heardRequest();
    const sent = punchers.reduce((sum, { state }) => sum + state.pings.length, 0);
    expect(sent).toBe(144);
  });

  it("asks ever more seldom when he is silent", () => {
    const { state, hole, pass } = puncher();
    hole.consider();
    pass(60_000);
    const [first] = [state.natPings.length];
    expect(first).toBeLessThanOrEqual(24);
    pass(3_600_000);
    expect(state.natPings.length - first).toBeLessThanOrEqual(70);
    expect(state.pings).toEqual([]);
  });
});
