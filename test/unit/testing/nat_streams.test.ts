import { describe, expect, it } from "vitest";
import { type SimHost, Universe } from "../../../src/testing/index.ts";
import { KINDS, PORT, Speaker, World } from "./nat_world.ts";
import { counted, Ears, join, PORT as TCP_PORT } from "./streams_support.ts";

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
