import { describe, expect, it } from "vitest";
import type { Endpoint } from "../../../src/env/datagram.ts";
import type { NatKind, NatOptions } from "../../../src/testing/index.ts";
import { formatEndpoint, isLanAddress, parseAddress } from "../../../src/util/endpoint.ts";
import { KINDS, PORT, type Speaker, World } from "./nat_world.ts";

describe("SimNat", () => {
  it.each([
    { kind: "full-cone", samePort: true, letsIn: ["server", "server's other port", "stranger"] },
    { kind: "address-restricted", samePort: true, letsIn: ["server", "server's other port"] },
    { kind: "port-restricted", samePort: true, letsIn: ["server"] },
    { kind: "symmetric", samePort: false, letsIn: ["server"] },
  ] as const)("$kind lets in $letsIn, and has the same port for all: $samePort", async ({ kind, samePort, letsIn }) => {
    const world = new World();
    const nat = world.nat(kind);
    const alice = await world.speaker("alice", nat);
    const server = await (await world.speaker("server")).bind(PORT + 1);
    const stranger = await world.speaker("stranger");
    const other = await world.speaker("other");

    alice.say(server.host.endpoint(PORT));
    alice.say(other.host.endpoint(PORT));
    await world.pass();
    const outside = server.last;
    expect(nat.mappings().length).toBe(samePort ? 1 : 2);
    expect(other.last === outside).toBe(samePort);
    expect(nat.address.startsWith("198.18.")).toBe(true);
    expect(outside).toBe(nat.endpoint(outside.port));

    const attempts = { server: [server, PORT], "server's other port": [server, PORT + 1], stranger: [stranger, PORT] };
    const came: string[] = [];
    for (const [name, [speaker, port]] of Object.entries(attempts) as [string, [Speaker, number]][]) {
      const before = alice.heard.length;
      speaker.say(outside, port);
      await world.pass();
      if (alice.heard.length === before) expect(world.fates.at(-1)).toBe("nat-filtered");
      else came.push(name);
    }
    expect(came).toEqual(letsIn);

    stranger.say(nat.endpoint(1));
    await world.pass();
    expect(world.fates.at(-1)).toBe("no-mapping");
  });

  it("opens by datagrams from both sides for all kinds but two symmetric ones", async () => {
    for (const left of KINDS) {
      for (const right of KINDS) {
        const world = new World();
        const alice = await world.speaker("alice", world.nat(left, {}, "left"));
        const bob = await world.speaker("bob", world.nat(right, {}, "right"));
        const server = await world.speaker("server");
        const seen: Endpoint[] = [];
        for (const speaker of [alice, bob]) {
          speaker.say(server.host.endpoint(PORT));
          await world.pass();
          seen.push(server.last);
        }
        const [aliceSeen, bobSeen] = seen as [Endpoint, Endpoint];
        for (let i = 0; i < 2; i++) {
          alice.say(bobSeen);
          bob.say(aliceSeen);
          await world.pass();
          // What is heard tells where to answer.
          if (alice.heard.length > 0) alice.say(alice.last);
          if (bob.heard.length > 0) bob.say(bob.last);
          await world.pass();
        }
        const meet = alice.heard.length > 0 && bob.heard.length > 0;
        const strict: readonly NatKind[] = ["port-restricted", "symmetric"];
        const hopeless =
          (left === "symmetric" && strict.includes(right)) || (right === "symmetric" && strict.includes(left));
        expect([left, right, meet]).toEqual([left, right, !hopeless]);
      }
    }
  });

  it("keeps the port where it is free; else, or when symmetric, counts; or draws", async () => {
    const portsOf = async (options: Partial<NatOptions>, kind: NatKind = "port-restricted") => {
      const world = new World();
      const nat = world.nat(kind, options);
      const [alice, bob] = [await world.speaker("alice", nat), await world.speaker("bob", nat)];
      const servers = [await world.speaker("one"), await world.speaker("two")];
      for (const speaker of [alice, bob]) for (const { host } of servers) speaker.say(host.endpoint(PORT));
      return nat.mappings().map(({ outsidePort }) => outsidePort);
    };
    const kept = await portsOf({});
    expect(kept.length).toBe(2);
    expect(kept[0]).toBe(PORT);
    expect(kept[1]).not.toBe(PORT);
    const counted = await portsOf({}, "symmetric");
    expect(counted).toEqual([0, 1, 2, 3].map((i) => (counted[0] ?? 0) + i));
    const drawn = await portsOf({ randomPorts: true });
    expect(drawn).not.toContain(PORT);
    expect(await portsOf({ randomPorts: true })).toEqual(drawn);
    const drawnEach = await portsOf({ randomPorts: true }, "symmetric");
    expect(new Set(drawnEach).size).toBe(4);
    expect(Math.abs((drawnEach[1] ?? 0) - (drawnEach[0] ?? 0))).not.toBe(1);
  });

  it("forgets a mapping 120 s after the last datagram from inside, whatever comes from outside", async () => {
    const world = new World();
    const nat = world.nat("full-cone");
    const alice = await world.speaker("alice", nat);
    const server = await world.speaker("server");
    alice.say(server.host.endpoint(PORT));
    await world.pass(119_000);
    alice.say(server.host.endpoint(PORT));
    await world.pass(100_000);
    server.say(server.last);
    await world.pass(19_000);
    server.say(server.last);
    await world.pass(2_000);
    server.say(server.last);
    await world.pass();
    expect(alice.heard.length).toBe(2);
    expect([world.fates.at(-1), nat.mappings().length]).toEqual(["no-mapping", 0]);

    alice.say(server.host.endpoint(PORT));
    await world.pass();
    server.say(server.last);
    await world.pass();
    expect(alice.heard.length).toBe(3);
  });

  it("forgets whom it let in as well, and takes the lifetime it is told", async () => {
    const world = new World();
    const nat = world.nat("port-restricted", { mappingLifetime: 30_000 });
    const alice = await world.speaker("alice", nat);
    const [server, other] = [await world.speaker("server"), await world.speaker("other")];
    alice.say(server.host.endpoint(PORT));
    for (let i = 0; i < 3; i++) {
      alice.say(other.host.endpoint(PORT));
      await world.pass(11_000);
    }
    server.say(server.last);
    other.say(other.last);
    await world.pass();
    expect(alice.heard).toEqual([formatEndpoint(other.host.endpoint(PORT))]);
  });

  it("lets two hosts inside talk by their private addresses, as no stranger can", async () => {
    const world = new World();
    const nat = world.nat("symmetric");
    const [alice, bob] = [await world.speaker("alice", nat), await world.speaker("bob", nat)];
    expect([alice.host.address, bob.host.address]).toEqual(["192.168.0.2", "192.168.0.3"]);
    alice.say(bob.host.endpoint(PORT));
    await world.pass();
    bob.say(bob.last);
    const stranger = await world.speaker("stranger");
    stranger.say(bob.host.endpoint(PORT));
    await world.pass();
    expect([alice.heard, bob.heard]).toEqual([["192.168.0.3:33445"], ["192.168.0.2:33445"]]);
    expect([nat.mappings().length, world.fates.includes("no-host")]).toEqual([0, true]);
  });

  it("has homes with the same private addresses, which do not meet", async () => {
    const world = new World();
    const homes = ["one", "two"].map((name) => world.nat("full-cone", { subnet: "192.168.1.0" }, name));
    const [alice, bob] = [await world.speaker("alice", homes[0]), await world.speaker("bob", homes[1])];
    expect([alice.host.address, bob.host.address]).toEqual(["192.168.1.2", "192.168.1.2"]);
    alice.say(bob.host.endpoint(PORT));
    await world.pass();
    expect([alice.heard.length, bob.heard.length]).toEqual([1, 0]);
  });

  it.each([true, false])("sends what goes to the address outside back in, if it can hairpin (%s)", async (hairpin) => {
    const world = new World();
    const nat = world.nat("port-restricted", { hairpin });
    const [alice, bob] = [await world.speaker("alice", nat), await world.speaker("bob", nat)];
    const server = await world.speaker("server");
    const seen: Endpoint[] = [];
    for (const speaker of [alice, bob]) {
      speaker.say(server.host.endpoint(PORT));
      await world.pass();
      seen.push(server.last);
    }
    const [aliceSeen, bobSeen] = seen as [Endpoint, Endpoint];
    alice.say(bobSeen);
    await world.pass();
    expect(world.fates.at(-1)).toBe(hairpin ? "nat-filtered" : "no-hairpin");
    bob.say(aliceSeen);
    alice.say(bobSeen);
    await world.pass();
    expect(alice.heard).toEqual(hairpin ? [formatEndpoint(bobSeen)] : []);
    expect(bob.heard).toEqual(hairpin ? [formatEndpoint(aliceSeen)] : []);
  });

  it("stands behind another one", async () => {
    const world = new World();
    const carrier = world.nat("port-restricted", { hairpin: true, subnet: "10.0.0.0" }, "carrier");
    const home = world.nat("full-cone", { behind: carrier }, "home");
    const neighbour = await world.speaker("neighbour", carrier);
    const alice = await world.speaker("alice", home);
    const [server, stranger] = [await world.speaker("server"), await world.speaker("stranger")];
    expect([home.address, neighbour.host.address]).toEqual(["10.0.0.2", "10.0.0.3"]);

    alice.say(server.host.endpoint(PORT));
    await world.pass();
    const outside = server.last;
    expect(outside).toBe(carrier.endpoint(PORT));
    server.say(outside);
    stranger.say(outside);
    await world.pass();
    expect([alice.heard, world.fates.at(-1)]).toEqual([[formatEndpoint(server.host.endpoint(PORT))], "nat-filtered"]);

    neighbour.say(home.endpoint(PORT));
    await world.pass();
    expect(alice.heard.at(-1)).toBe("10.0.0.3:33445");
    alice.say(neighbour.host.endpoint(PORT));
    await world.pass();
    expect(neighbour.heard).toEqual(["10.0.0.2:33445"]);
  });

  it("forgets everything in a reboot", async () => {
    const world = new World();
    const nat = world.nat("full-cone");
    const alice = await world.speaker("alice", nat);
    const server = await world.speaker("server");
    alice.say(server.host.endpoint(PORT));
    await world.pass();
    nat.forget();
    server.say(server.last);
    await world.pass();
    expect([alice.heard.length, world.fates.at(-1)]).toEqual([0, "no-mapping"]);
  });

  it("changes its address, and what goes to the old one ends nowhere", async () => {
    const world = new World();
    const nat = world.nat("full-cone");
    const alice = await world.speaker("alice", nat);
    const server = await world.speaker("server");
    alice.say(server.host.endpoint(PORT));
    await world.pass();
    const before = server.last;
    nat.changeAddress("203.0.113.77");
    server.say(before);
    alice.say(server.host.endpoint(PORT));
    await world.pass();
    expect(formatEndpoint(server.last)).toBe("203.0.113.77:33445");
    server.say(server.last);
    await world.pass();
    expect([alice.heard.length, world.fates.includes("no-host")]).toEqual([1, true]);
    expect(await alice.host.edges.resolver.resolve("nat")).toEqual([parseAddress("203.0.113.77")]);
    expect(() => nat.changeAddress(server.host.address)).toThrow(/Two hosts have the address/);
  });

  it("decides when a datagram arrives, not when it was sent", async () => {
    const world = new World();
    const nat = world.nat("port-restricted");
    const alice = await world.speaker("alice", nat);
    const server = await world.speaker("server");
    server.say(nat.endpoint(PORT));
    await world.pass(10);
    alice.say(server.host.endpoint(PORT));
    await world.pass();
    expect(alice.heard.length).toBe(1);
  });

  it("is passed by partitions and links between the hosts themselves", async () => {
    const world = new World();
    const nat = world.nat("full-cone");
    const alice = await world.speaker("alice", nat);
    const server = await world.speaker("server");
    world.universe.network.setLink(alice.host, server.host, { latency: [500, 500] });
    alice.say(server.host.endpoint(PORT));
    await world.pass(499);
    expect(server.heard.length).toBe(0);
    await world.pass(2);
    world.universe.partition([alice.host], [server.host]);
    server.say(server.last);
    alice.say(server.host.endpoint(PORT));
    await world.pass(1000);
    expect(world.fates.slice(-2)).toEqual(["partitioned", "partitioned"]);
  });

  it("shows both sides of a NAT in the trace, and the outside to filters", async () => {
    const world = new World();
    const nat = world.nat("full-cone", { randomPorts: true });
    const alice = await world.speaker("alice", nat);
    const server = await world.speaker("server");
    const shown: string[] = [];
    world.universe.network.addFilter((_, from, to) => shown.push(`${formatEndpoint(from)} ${formatEndpoint(to)}`) > 0);
    alice.say(server.host.endpoint(PORT));
    await world.pass();
    server.say(server.last);
    await world.pass();
    const outside = formatEndpoint(server.last);
    const address = formatEndpoint(server.host.endpoint(PORT));
    expect(shown).toEqual([`${outside} ${address}`, `${address} ${outside}`]);
    const lines = world.universe.trace.format().split("\n");
    expect(lines[0]).toContain(` ${outside} (192.168.0.2:33445) > ${address} 0x`);
    expect(lines[1]).toContain(` ${address} > ${outside} (192.168.0.2:33445) 0x`);
  });

  it("leaves IPv6 alone", async () => {
    const { universe } = new World();
    const host = universe.host("alice", { behind: universe.nat("nat", { kind: "symmetric" }), ipv6: true });
    const server = universe.host("server", { ipv6: true });
    const socket = await host.edges.datagrams.bind({ family: 6, port: PORT });
    const heard: string[] = [];
    const at = await server.edges.datagrams.bind({ family: 6, port: PORT });
    at.onDatagram = (_, from) => heard.push(formatEndpoint(from));
    socket.send(socket.acquire(), 5, server.endpoint(PORT, 6));
    await universe.run(100);
    expect(heard).toEqual([formatEndpoint(host.endpoint(PORT, 6))]);
  });

  it("gives public addresses outside and private ones inside, and refuses what does not fit", () => {
    const { universe } = new World();
    const nats = Array.from({ length: 300 }, (_, i) => universe.nat(`nat ${i}`, { kind: "full-cone" }));
    const hosts = nats.map((behind, i) => universe.host(`host ${i}`, { behind }));
    expect(new Set(nats.map(({ address }) => address)).size).toBe(300);
    expect(nats.every(({ addressBytes }) => !isLanAddress(addressBytes))).toBe(true);
    expect(new Set(hosts.map(({ address }) => address)).size).toBe(300);
    expect(hosts.every((host) => isLanAddress(host.addressOf(4) ?? new Uint8Array(4)))).toBe(true);
    expect(() => universe.nat("host 1", { kind: "full-cone" })).toThrow(/Two hosts are called/);
    expect(() => universe.nat("six", { kind: "full-cone", address: "2001:db8::9" })).toThrow(/no IPv4 address/);
  });
});
