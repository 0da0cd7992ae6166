import { describe, expect, it } from "vitest";
import type { DatagramSocket, Endpoint } from "../../../src/env/datagram.ts";
import { type NatKind, type NatOptions, type SimHost, type SimNat, Universe } from "../../../src/testing/index.ts";
import { formatEndpoint, isLanAddress, parseAddress } from "../../../src/util/endpoint.ts";
import { counted, Ears, join, PORT as TCP_PORT } from "./streams_support.ts";

const PORT = 33445;

/** A host with sockets, which notes what it hears and from where. */
class Speaker {
  readonly host: SimHost;
  readonly heard: string[] = [];
  readonly sources: Endpoint[] = [];
  readonly #sockets = new Map<number, DatagramSocket>();

  constructor(host: SimHost) {
    this.host = host;
  }

  async bind(port = PORT): Promise<this> {
    const socket = await this.host.edges.datagrams.bind({ family: 4, port });
    this.#sockets.set(port, socket);
    socket.onDatagram = (_, from) => {
      this.heard.push(formatEndpoint(from));
      this.sources.push(from);
    };
    return this;
  }

  say(to: Endpoint, port = PORT): void {
    const socket = this.#sockets.get(port) as DatagramSocket;
    socket.send(socket.acquire(), 5, to);
  }

  /** Where the last datagram came from. */
  get last(): Endpoint {
    return this.sources.at(-1) as Endpoint;
  }
}

class World {
  readonly universe = new Universe({ link: { latency: [20, 20] } });

  constructor() {
    this.universe.trace.start();
  }

  speaker(name: string, behind?: SimNat): Promise<Speaker> {
    return new Speaker(this.universe.host(name, behind === undefined ? {} : { behind })).bind();
  }

  nat(kind: NatKind, options: Partial<NatOptions> = {}, name = "nat"): SimNat {
    return this.universe.nat(name, { kind, ...options });
  }

  async pass(ms = 100): Promise<void> {
    await this.universe.run(ms);
  }

  get fates(): string[] {
    return this.universe.trace.entries.map(({ fate }) => fate);
  }
}

const KINDS: readonly NatKind[] = ["full-cone", "address-restricted", "port-restricted", "symmetric"];

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

describe("streams through a NAT", () => {
  it.each(KINDS)("%s lets streams out and none in", async (kind) => {
    const { universe } = new World();
    const nat = universe.nat("nat", { kind });
    const alice = universe.host("alice", { behind: nat });
    const server = universe.host("server");
    const { out, into, aliceHears, bobHears } = await join(universe, alice, server);
    expect(into.remote?.address).toEqual(nat.addressBytes);
    out.write(counted(50_000));
    into.write(counted(20_000));
    await universe.run(5000);
    expect([bobHears.length, aliceHears.length]).toEqual([50_000, 20_000]);

    const listener = await alice.edges.streams.listen({ family: 4, port: TCP_PORT });
    listener.onConnection = () => expect.unreachable();
    for (const port of [TCP_PORT, into.remote?.port ?? 0]) {
      const connecting = server.edges.streams.connect(nat.endpoint(port), { timeoutMs: 3000 });
      await expect(universe.wait(connecting)).rejects.toThrow(/no answer/);
    }
  });

  it("stalls when the router starts anew, and a new stream works", async () => {
    const { universe } = new World();
    const nat = universe.nat("nat", { kind: "full-cone" });
    const alice = universe.host("alice", { behind: nat });
    const server = universe.host("server");
    const first = await join(universe, alice, server);
    nat.forget();
    first.out.write(counted(10));
    first.into.write(counted(10));
    await universe.run(99_000);
    expect([first.bobHears.length, first.aliceHears.length, first.aliceHears.ends]).toEqual([0, 0, []]);
    const second = await join(universe, alice, server);
    second.out.write(counted(10));
    await universe.run(2000);
    expect(second.bobHears.length).toBe(10);
    expect([first.aliceHears.ends, first.bobHears.ends]).toEqual([["reset"], ["reset"]]);
  });
});

describe("a firewall that drops UDP", () => {
  it("drops it both ways, and lets streams and loopback pass", async () => {
    const world = new World();
    const { universe } = world;
    const alice = await new Speaker(universe.host("alice", { udp: false })).bind();
    const bob = await world.speaker("bob");
    alice.say(bob.host.endpoint(PORT));
    bob.say(alice.host.endpoint(PORT));
    await world.pass();
    expect([alice.heard, bob.heard, world.fates]).toEqual([[], [], ["blocked", "blocked"]]);
    const { out, bobHears } = await join(universe, alice.host, bob.host);
    out.write(counted(3));
    alice.say({ family: 4, address: Uint8Array.of(127, 0, 0, 1), port: PORT });
    await world.pass();
    expect([bobHears.length, alice.heard]).toEqual([3, ["127.0.0.1:33445"]]);

    universe.network.blockUdp(alice.host, false);
    alice.say(bob.host.endpoint(PORT));
    bob.host.blockUdp();
    await world.pass();
    expect([bob.heard.length, world.fates.at(-1)]).toEqual([0, "blocked"]);
    bob.host.blockUdp(false);
    alice.say(bob.host.endpoint(PORT));
    await world.pass();
    expect(bob.heard.length).toBe(1);
  });
});

describe("determinism", () => {
  /** Hosts behind NATs that talk over both protocols, on a bad network. */
  async function chatter(seed: number): Promise<Universe> {
    const universe = new Universe({ seed, link: { latency: [10, 80], loss: 0.1, duplication: 0.1, reordering: 0.1 } });
    universe.trace.start();
    const server = universe.host("server");
    const echo = await server.edges.datagrams.bind({ family: 4, port: PORT });
    echo.onDatagram = (_, from) => void echo.send(echo.acquire(), 9, from);
    const listener = await server.edges.streams.listen({ family: 4, port: TCP_PORT });
    listener.onConnection = (stream) => {
      new Ears(stream);
      stream.onData = (bytes) => void stream.write(bytes.slice());
    };
    for (const kind of KINDS) {
      const host = universe.host(kind, { behind: universe.nat(`nat ${kind}`, { kind, randomPorts: true }) });
      const socket = await host.edges.datagrams.bind({ family: 4, port: PORT });
      const stream = await universe.wait(
        host.edges.streams.connect({ host: "server", port: TCP_PORT }, { timeoutMs: 50_000 }),
      );
      new Ears(stream);
      for (let i = 0; i < 20; i++) {
        host.edges.clock.at(100 * i, () => {
          socket.send(socket.acquire(), 9, server.endpoint(PORT));
          stream.write(host.edges.random.next() < 0.5 ? counted(10) : counted(4000));
        });
      }
    }
    await universe.run(20_000);
    return universe;
  }

  it("leaves the same trace for the same seed with streams and NATs, and another for another", async () => {
    const [first, again, other] = [await chatter(5), await chatter(5), await chatter(6)];
    expect(first.trace.entries.filter(({ protocol }) => protocol === "tcp").length).toBeGreaterThan(200);
    expect(again.trace.format()).toBe(first.trace.format());
    expect(again.traceHash()).toBe(first.traceHash());
    expect(other.traceHash()).not.toBe(first.traceHash());
  });

  it("keeps the hash that a universe of datagrams alone has always had", async () => {
    const universe = new Universe({
      seed: 7,
      link: { loss: 0.01, duplication: 0.05, reordering: 0.1, bandwidth: 50_000 },
    });
    universe.trace.start();
    const hosts = Array.from({ length: 10 }, (_, i) => universe.host(`host ${i}`));
    for (const host of hosts) {
      const socket = await host.edges.datagrams.bind({ family: 4, port: PORT });
      const sendOn = (...bytes: number[]) => {
        const next = hosts[host.edges.random.nextU32() % hosts.length] as SimHost;
        const buffer = socket.acquire();
        buffer.set(bytes);
        socket.send(buffer, bytes.length, next.endpoint(PORT));
      };
      socket.onDatagram = (received) => sendOn(...received, host.edges.random.nextU32());
      host.edges.clock.at(10, () => sendOn(1, 2, 3));
    }
    await universe.run(3000);
    expect([universe.trace.count, universe.traceHash()]).toEqual([2416, "00000970d17fd0bf337d0e2d"]);
  });
});
