import { describe, expect, it } from "vitest";
import type { Endpoint } from "../../src/env/datagram.ts";
import type { PortMapper, ReachedAt } from "../../src/env/port_mapper.ts";
import { FilteredNats } from "../support/filtered_nat.ts";
import { nodeOf, type Person, Story } from "../support/people.ts";

const PORT = 33_500;
const RELAY = 3_389;

/** A router that maps when the test says so, and what it was asked. */
class Mapper implements PortMapper {
  readonly asked: string[] = [];
  readonly opened: (string | undefined)[] = [];
  #reached: ReachedAt | undefined;

  open({ address }: { readonly address?: string } = {}) {
    this.opened.push(address);
    return {
      map: (protocol: string, port: number, onReached?: ReachedAt) => {
        this.asked.push(`${protocol} ${port}`);
        this.#reached ??= onReached;
      },
      close: async () => void this.asked.push("close"),
    };
  }

  tell(external: Endpoint | undefined): void {
    this.#reached?.(external);
  }
}

/** Two behind routers that give out a port for each destination, which nobody can guess; public nodes, and a relay. */
async function twoHomes(story: Story) {
  const nats = new FilteredNats(story.universe);
  await story.crowd(4);
  const relay = await story.person("relay", { relayPort: RELAY });
  const relays = [{ ...nodeOf(relay), port: RELAY }];
  const mapper = new Mapper();
  const home = async (name: string, firstPort: number, options = {}): Promise<Person> => {
    const host = story.universe.host(name);
    nats.put(host, PORT, { symmetric: { firstPort, step: 977 }, mappedPort: 40_000 });
    return story.restart(host, name, {
      port: PORT,
      ipv6: false,
      relays,
      env: () => ({ portMapper: mapper }),
      ...options,
    });
  };
  const alice = await home("alice", 10_000, { portMapping: true, relayPort: 7_000 });
  const bob = await home("bob", 20_000);
  return { nats, mapper, alice, bob };
}

describe("two people behind symmetric routers", () => {
  it("talk over a relay", async () => {
    await using story = new Story();
    const { alice, bob } = await twoHomes(story);
    const friends = await story.befriend(alice, bob);
    await story.pass(60_000);
    expect(friends.map(({ connection }) => connection)).toEqual(["tcp", "tcp"]);
  });

  it("talk directly when one has his port mapped", async () => {
    await using story = new Story();
    const { nats, mapper, alice, bob } = await twoHomes(story);
    mapper.tell(nats.letIn(alice.host));
    const friends = await story.befriend(alice, bob);
    await story.until("a direct path", () => friends.every(({ connection }) => connection === "udp"), 5_000);
  });

  it("talk directly as soon as it is mapped, though they are online by then", async () => {
    await using story = new Story();
    const { nats, mapper, alice, bob } = await twoHomes(story);
    const friends = await story.befriend(alice, bob);
    await story.pass(60_000);
    expect(friends.map(({ connection }) => connection)).toEqual(["tcp", "tcp"]);
    mapper.tell(nats.letIn(alice.host));
    await story.until("a direct path", () => friends.every(({ connection }) => connection === "udp"), 10_000);
  });

  it("do no harm when the router lies about its address", async () => {
    await using story = new Story();
    const { mapper, alice, bob } = await twoHomes(story);
    const victim = story.universe.host("victim");
    const datagrams: number[] = [];
    story.universe.network.addFilter((bytes, _from, to) => {
      if (to.address.join(".") === victim.address) datagrams.push(bytes.length);
      return true;
    });
    mapper.tell(victim.endpoint(53));
    const friends = await story.befriend(alice, bob);
    await story.pass(120_000);
    expect(friends.map(({ connection }) => connection)).toEqual(["tcp", "tcp"]);
    expect(datagrams.length).toBeLessThan(60);
  });
});

describe("portMapping", () => {
  it("asks for the UDP port and the relay's, and ends with the instance", async () => {
    await using story = new Story();
    const { mapper, alice } = await twoHomes(story);
    expect(mapper.asked).toEqual([`udp ${PORT}`, "tcp 7000"]);
    await alice.tox.close();
    expect(mapper.asked.at(-1)).toBe("close");
    expect(mapper.opened).toEqual([undefined]);
  });

  it.each([
    ["a proxy", {}, {}],
    ["IPv4 is off", { ipv4: false }, { portMapper: new Mapper() }],
    ["UDP is off", { udp: false }, { portMapper: new Mapper() }],
  ] as const)("is refused where %s", async (what, options, edges) => {
    await using story = new Story();
    const refused = story.person("alice", { portMapping: true, ...options, env: () => edges });
    await expect(refused).rejects.toMatchObject({ code: "invalid-argument", message: expect.stringContaining(what) });
  });
});
