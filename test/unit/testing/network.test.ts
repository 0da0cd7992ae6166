import { describe, expect, it } from "vitest";
import type { DatagramSocket, Endpoint } from "../../../src/env/datagram.ts";
import { type HostOptions, type LinkProperties, POISON, type SimHost, Universe } from "../../../src/testing/index.ts";
import { formatEndpoint, isLanAddress, makeEndpoint } from "../../../src/util/endpoint.ts";

const PORT = 33445;

interface Arrival {
  readonly time: number;
  readonly number: number;
  readonly from: Endpoint;
}

interface Pair {
  readonly universe: Universe;
  readonly alice: SimHost;
  readonly bob: SimHost;
  readonly toBob: DatagramSocket;
  readonly toAlice: DatagramSocket;
  readonly arrivals: Arrival[];
  readonly send: (number: number, length?: number) => boolean;
}

async function pair(link: Partial<LinkProperties> = {}, aliceOptions: HostOptions = {}): Promise<Pair> {
  const universe = new Universe({ seed: 3, link });
  universe.trace.start();
  const alice = universe.host("alice", aliceOptions);
  const bob = universe.host("bob");
  const toBob = await alice.edges.datagrams.bind({ family: 4, port: PORT });
  const toAlice = await bob.edges.datagrams.bind({ family: 4, port: PORT });
  const arrivals: Arrival[] = [];
  toAlice.onDatagram = (bytes, from) => {
    const number = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
    arrivals.push({ time: universe.now, number, from });
  };
  const send = (number: number, length = 100) => {
    const buffer = toBob.acquire();
    buffer[0] = number >> 8;
    buffer[1] = number;
    return toBob.send(buffer, length, bob.endpoint(PORT));
  };
  return { universe, alice, bob, toBob, toAlice, arrivals, send };
}

async function sendMany({ universe, send }: Pair, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    send(i);
    await universe.run(1);
  }
  await universe.run(1000);
}

const numbers = (arrivals: readonly Arrival[]) => arrivals.map(({ number }) => number);

describe("SimulatedNetwork", () => {
  it("delivers in order within the latency, from the interned endpoint of the sender", async () => {
    const world = await pair({ latency: [10, 50] });
    await sendMany(world, 300);
    expect(numbers(world.arrivals)).toEqual(Array.from({ length: 300 }, (_, i) => i));
    const delays = world.arrivals.map(({ time, number }) => time - number);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...delays)).toBeLessThanOrEqual(50);
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(5);
    expect(world.arrivals.every(({ from }) => from === world.alice.endpoint(PORT))).toBe(true);
  });

  it("loses, doubles and reorders the shares it was told to", async () => {
    const lossy = await pair({ loss: 0.2 });
    await sendMany(lossy, 1000);
    expect(lossy.arrivals.length).toBeGreaterThan(750);
    expect(lossy.arrivals.length).toBeLessThan(850);

    const doubling = await pair({ duplication: 0.3 });
    await sendMany(doubling, 1000);
    expect(doubling.arrivals.length).toBeGreaterThan(1240);
    expect(doubling.arrivals.length).toBeLessThan(1360);
    expect(new Set(numbers(doubling.arrivals)).size).toBe(1000);

    const reordering = await pair({ reordering: 0.1, reorderingDelay: [50, 100] });
    await sendMany(reordering, 1000);
    const order = numbers(reordering.arrivals);
    const late = order.filter((number, i) => order.slice(0, i).some((earlier) => earlier > number)).length;
    expect(order.length).toBe(1000);
    expect(late).toBeGreaterThan(60);
    expect(late).toBeLessThan(140);
  });

  it("paces a line with a bandwidth and drops what its queue has no room for", async () => {
    const { universe, send, arrivals } = await pair({ bandwidth: 10_000, queue: 5000, latency: [10, 10] });
    for (let i = 0; i < 100; i++) send(i, 100);
    await universe.run(10_000);
    expect(arrivals.length).toBe(50);
    expect(arrivals[0]?.time).toBeCloseTo(20);
    expect(arrivals.at(-1)?.time).toBeCloseTo(510);
    expect(universe.trace.entries.filter(({ fate }) => fate === "queue-full").length).toBe(50);
  });

  it("answers false when the host's own line is full and says when there is room again", async () => {
    const world = await pair({ latency: [1, 1] }, { uplink: { bandwidth: 10_000, queue: 1000 } });
    let writableAt = -1;
    world.toBob.onWritable = () => {
      writableAt = world.universe.now;
    };
    const answers = Array.from({ length: 11 }, (_, i) => world.send(i, 100));
    expect(answers).toEqual([...new Array(10).fill(true), false]);
    await world.universe.run(1000);
    expect(writableAt).toBeCloseTo(50);
    expect(world.arrivals.length).toBe(10);
    expect(world.arrivals.at(-1)?.time).toBeCloseTo(101);
  });

  it("overrides the default for one pair, each way by itself", async () => {
    const world = await pair({ latency: [10, 10] });
    const { universe, alice, bob, send, arrivals } = world;
    universe.network.setLink(alice, bob, { latency: [500, 500] });
    send(1);
    await universe.run(2000);
    expect(arrivals[0]?.time).toBe(500);
    universe.network.setDefaultLink({ loss: 1 });
    send(2);
    await universe.run(2000);
    expect(arrivals.length).toBe(1);
    universe.network.setLinkOneWay(alice, bob, { loss: 0 });
    send(3);
    await universe.run(2000);
    expect(numbers(arrivals)).toEqual([1, 3]);
  });

  it("separates the two sides of a partition until it heals", async () => {
    const { universe, alice, bob, send, arrivals } = await pair();
    const carol = universe.host("carol");
    universe.partition([carol], [bob]);
    send(1);
    await universe.run(100);
    universe.partition([bob], [alice, carol]);
    send(2);
    await universe.run(100);
    universe.heal();
    send(3);
    await universe.run(100);
    expect(numbers(arrivals)).toEqual([1, 3]);
    expect(universe.trace.entries.map(({ fate }) => fate)).toEqual(["delivered", "partitioned", "delivered"]);
  });

  it("carries nothing from or to a host that is offline", async () => {
    const { universe, alice, bob, send, arrivals } = await pair({ latency: [20, 20] });
    send(1);
    bob.goOffline();
    await universe.run(100);
    bob.goOnline();
    alice.goOffline();
    expect(send(2)).toBe(true);
    await universe.run(100);
    alice.goOnline();
    send(3);
    await universe.run(100);
    expect(numbers(arrivals)).toEqual([3]);
    expect(universe.trace.entries.map(({ fate }) => fate)).toEqual(["receiver-offline", "sender-offline", "delivered"]);
  });

  it("spoils received bytes after the handler, and sent ones at once", async () => {
    const { universe, toBob, toAlice, send, bob } = await pair();
    let kept = new Uint8Array();
    toAlice.onDatagram = (bytes) => {
      kept = bytes as Uint8Array<ArrayBuffer>;
      expect([...bytes.subarray(0, 2)]).toEqual([0, 7]);
    };
    send(7);
    await universe.run(100);
    expect(kept.length).toBe(100);
    expect(kept.every((byte) => byte === POISON)).toBe(true);
    const buffer = toBob.acquire();
    expect(buffer.every((byte) => byte === POISON)).toBe(true);
    buffer.fill(1, 0, 10);
    toBob.send(buffer, 10, bob.endpoint(PORT));
    expect(buffer.every((byte) => byte === POISON)).toBe(true);
  });

  it("finds out who sends or releases a buffer twice", async () => {
    const { alice, toBob, bob } = await pair();
    const buffer = toBob.acquire();
    expect(alice.sockets[0]?.acquiredCount).toBe(1);
    toBob.release(buffer);
    expect(() => toBob.release(buffer)).toThrow(/not acquired/);
    expect(() => toBob.send(buffer, 1, bob.endpoint(PORT))).toThrow(/not acquired/);
    expect(alice.sockets[0]?.acquiredCount).toBe(0);
  });

  it("refuses a port in use, an absent family and a foreign address", async () => {
    const { alice, toBob } = await pair();
    const bind = alice.edges.datagrams.bind.bind(alice.edges.datagrams);
    await expect(bind({ family: 4, port: PORT })).rejects.toMatchObject({ code: "port-in-use" });
    await expect(bind({ family: 6, port: PORT })).rejects.toMatchObject({ code: "family-unavailable" });
    await expect(bind({ family: 4, port: 1, address: "1.2.3.4" })).rejects.toMatchObject({ code: "invalid-argument" });
    toBob.close();
    expect((await bind({ family: 4, port: PORT, address: alice.address })).port).toBe(PORT);
    const [first, second] = [await bind({ family: 4, port: 0 }), await bind({ family: 4, port: 0 })];
    expect(first.port).toBeGreaterThan(1024);
    expect(second.port).not.toBe(first.port);
  });

  it("gives hosts public addresses in networks of their own, and IPv6 beside IPv4", async () => {
    const universe = new Universe();
    const hosts = Array.from({ length: 600 }, (_, i) => universe.host(`host ${i}`, { ipv6: true }));
    const addresses = hosts.flatMap((host) => [host.addressOf(4), host.addressOf(6)]);
    expect(addresses.every((address) => address !== undefined && !isLanAddress(address))).toBe(true);
    expect(new Set(addresses.map(String)).size).toBe(1200);
    const networks = hosts.slice(0, 256).map((host) => String(host.addressOf(4)?.subarray(0, 3)));
    expect(new Set(networks).size).toBe(256);
    const [first, second] = hosts;
    const from = await first?.edges.datagrams.bind({ family: 6, port: PORT });
    const to = await second?.edges.datagrams.bind({ family: 6, port: PORT });
    if (from === undefined || to === undefined || second === undefined) return expect.unreachable();
    const sources: string[] = [];
    to.onDatagram = (_, source) => sources.push(formatEndpoint(source));
    from.send(from.acquire(), 5, second.endpoint(PORT, 6));
    await universe.run(100);
    expect(sources).toEqual(["[2001:db8::1]:33445"]);
    expect(() => universe.host("lan", { ipv4: first?.address ?? "" })).toThrow(/Two hosts have the address/);
    expect(isLanAddress(universe.host("lan 2", { ipv4: "192.168.0.7" }).addressOf(4) ?? new Uint8Array(4))).toBe(true);
  });

  it("keeps loopback datagrams on the host", async () => {
    const { universe, alice, toBob } = await pair();
    const other = await alice.edges.datagrams.bind({ family: 4, port: 1000 });
    const sources: string[] = [];
    other.onDatagram = (_, from) => sources.push(formatEndpoint(from));
    toBob.send(toBob.acquire(), 5, makeEndpoint(Uint8Array.of(127, 0, 0, 1), 1000));
    toBob.send(toBob.acquire(), 5, alice.endpoint(1000));
    await universe.run(0);
    expect(sources).toEqual(["127.0.0.1:33445", `${alice.address}:33445`]);
  });

  it("shows datagrams to filters, and takes injected ones from anywhere", async () => {
    const { universe, bob, send, arrivals } = await pair();
    const stop = universe.network.addFilter((bytes) => bytes[1] !== 2);
    for (const number of [1, 2, 3]) send(number);
    await universe.run(100);
    stop();
    send(2);
    const nobody = makeEndpoint(Uint8Array.of(203, 0, 113, 9), 999);
    universe.network.inject(Uint8Array.of(0, 9), nobody, bob.endpoint(PORT));
    await universe.run(100);
    expect(numbers(arrivals)).toEqual([1, 3, 9, 2]);
    expect(formatEndpoint(arrivals[2]?.from ?? nobody)).toBe("203.0.113.9:999");
  });

  it("moves a host to another address with its sockets", async () => {
    const { universe, alice, send, arrivals, toAlice } = await pair();
    const before = alice.endpoint(PORT);
    alice.moveTo("203.0.113.77");
    send(1);
    await universe.run(100);
    expect(formatEndpoint(arrivals[0]?.from ?? before)).toBe("203.0.113.77:33445");
    toAlice.send(toAlice.acquire(), 5, before);
    await universe.run(100);
    expect(universe.trace.entries.at(-1)?.fate).toBe("no-host");
  });

  it("ends timers and sockets in a crash, and serves anew", async () => {
    const { universe, bob, send, arrivals } = await pair();
    bob.edges.clock.at(10, () => expect.unreachable());
    bob.crash();
    send(1);
    await universe.run(100);
    expect([bob.edges.clock.pending, bob.sockets.length, arrivals.length]).toEqual([0, 0, 0]);
    expect(universe.trace.entries.at(-1)?.fate).toBe("no-socket");
    await bob.edges.datagrams.bind({ family: 4, port: PORT });
  });

  it("resolves the names of hosts, other names and literal addresses", async () => {
    const { universe, alice, bob } = await pair();
    const { resolver } = alice.edges;
    universe.network.addName("node.example", Uint8Array.of(1, 2, 3, 4), new Uint8Array(16).fill(1));
    expect(await resolver.resolve("bob")).toEqual([bob.addressOf(4)]);
    expect(await resolver.resolve("node.example")).toEqual([Uint8Array.of(1, 2, 3, 4), new Uint8Array(16).fill(1)]);
    expect(await resolver.resolve("9.8.7.6")).toEqual([Uint8Array.of(9, 8, 7, 6)]);
    await expect(resolver.resolve("nowhere")).rejects.toMatchObject({ code: "host-not-found" });
  });

  it("writes a trace that a person can read, and none when off", async () => {
    const { universe, send } = await pair({ latency: [5, 5] });
    send(0x1234, 60);
    await universe.run(10);
    expect(universe.trace.format()).toBe("5.000 198.18.0.1:33445 > 198.18.1.1:33445 0x12 60 B delivered");
    universe.trace.stop();
    const hash = universe.traceHash();
    send(1);
    await universe.run(10);
    expect([universe.trace.count, universe.traceHash()]).toEqual([1, hash]);
  });
});
