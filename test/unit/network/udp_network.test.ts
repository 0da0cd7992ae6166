import { describe, expect, it } from "vitest";
import type { DatagramPort, DatagramSocket, Endpoint } from "../../../src/env/datagram.ts";
import { MemoryMetrics } from "../../../src/env/metrics.ts";
import { dropCounter } from "../../../src/network/drop_counter.ts";
import { defaultPorts, UdpNetwork, type UdpOptions } from "../../../src/network/udp_network.ts";
import { nodeDatagrams } from "../../../src/node/index.ts";
import { type HostOptions, type SimHost, Universe } from "../../../src/testing/index.ts";
import { formatEndpoint, makeEndpoint } from "../../../src/util/endpoint.ts";
import { ToxError } from "../../../src/util/tox_error.ts";

const PORT = 33445;

function world(bobOptions: HostOptions = {}) {
  const universe = new Universe();
  return { universe, alice: universe.host("alice", { ipv6: true }), bob: universe.host("bob", bobOptions) };
}

const bind = (host: SimHost, options: Partial<UdpOptions> = {}): Promise<UdpNetwork> =>
  UdpNetwork.bind(host.edges.datagrams, { ports: defaultPorts(), ...options }, host.edges.metrics);

describe("UdpNetwork.bind", () => {
  it("binds both families on the first port", async () => {
    const { alice } = world();
    const network = await bind(alice);
    expect([network.port, network.has(4), network.has(6)]).toEqual([PORT, true, true]);
    expect(alice.sockets.map(({ family, port }) => [family, port])).toEqual([
      [4, PORT],
      [6, PORT],
    ]);
  });

  it("does without a family that the machine lacks or that is not wanted", async () => {
    const { universe, alice, bob } = world();
    const onlyFour = await bind(bob);
    expect([onlyFour.has(4), onlyFour.has(6)]).toEqual([true, false]);
    const onlySix = await bind(universe.host("carol", { ipv4: false, ipv6: true }));
    expect([onlySix.port, onlySix.has(4), onlySix.has(6)]).toEqual([PORT, false, true]);
    const unwanted = await bind(alice, { ipv6: false });
    expect([unwanted.has(4), unwanted.has(6), alice.sockets.length]).toEqual([true, false, 1]);
  });

  it("goes on to the next port when one is taken in either family, leaving no socket behind", async () => {
    const { alice } = world();
    await alice.edges.datagrams.bind({ family: 4, port: PORT });
    await alice.edges.datagrams.bind({ family: 6, port: PORT + 1 });
    expect((await bind(alice)).port).toBe(PORT + 2);
    expect(alice.sockets.length).toBe(4);
  });

  it("takes one port for both families when the system chooses", async () => {
    const { alice } = world();
    const network = await bind(alice, { ports: [0] });
    expect(network.port).toBeGreaterThan(1023);
    expect(new Set(alice.sockets.map(({ port }) => port)).size).toBe(1);
  });

  it("rejects when every port is taken, when no family is there, and for other errors at once", async () => {
    const { universe, alice } = world();
    await alice.edges.datagrams.bind({ family: 4, port: PORT });
    await expect(bind(alice, { ports: [PORT] })).rejects.toMatchObject({ code: "port-in-use" });
    await expect(bind(alice, { ports: [] })).rejects.toMatchObject({ code: "invalid-argument" });
    const nowhere = universe.host("nowhere", { ipv4: false });
    await expect(bind(nowhere)).rejects.toMatchObject({ code: "network-unavailable" });
    let tries = 0;
    const forbidden: DatagramPort = {
      async bind() {
        tries++;
        throw new ToxError("permission-denied", "No.");
      },
    };
    const attempt = UdpNetwork.bind(forbidden, { ports: defaultPorts() }, new MemoryMetrics());
    await expect(attempt).rejects.toMatchObject({ code: "permission-denied" });
    expect(tries).toBe(1);
  });

  it("never binds past an address that was asked for", async () => {
    const { alice } = world();
    const asked = await bind(alice, { bindIpv4: alice.address, ipv6: false });
    expect(asked.has(4)).toBe(true);
    const absent = UdpNetwork.bind(nodeDatagrams(), { ports: [0], bindIpv4: "192.0.2.1" }, new MemoryMetrics());
    await expect(absent).rejects.toMatchObject({ code: "family-unavailable" });
  });
});

describe("UdpNetwork", () => {
  async function pair() {
    const { universe, alice, bob } = world({ ipv6: true });
    const [here, there] = [await bind(alice), await bind(bob)];
    const heard: string[] = [];
    const note = (packet: Uint8Array, from: Endpoint, socket: DatagramSocket) => {
      heard.push(`${packet.join(" ")} from ${formatEndpoint(from)} on IPv${socket.family}`);
    };
    return { universe, alice, bob, here, there, heard, note };
  }

  it("hands each packet to the handler of its first byte, by either family", async () => {
    const { universe, alice, bob, here, there, heard, note } = await pair();
    there.handle(1, note);
    there.handle(2, () => heard.push("two"));
    expect(here.send(bob.endpoint(PORT, 4), Uint8Array.of(1, 7))).toBe(true);
    expect(here.send(bob.endpoint(PORT, 6), Uint8Array.of(1, 8))).toBe(true);
    expect(here.send(bob.endpoint(PORT, 4), Uint8Array.of(2))).toBe(true);
    await universe.run(1000);
    expect(heard.sort()).toEqual([
      `1 7 from ${alice.address}:33445 on IPv4`,
      "1 8 from [2001:db8::1]:33445 on IPv6",
      "two",
    ]);
    expect(alice.edges.metrics.get("udp.sent")).toBe(3);
    expect(bob.edges.metrics.get("udp.received")).toBe(3);
  });

  it("answers in the same turn through the socket that was asked", async () => {
    const { universe, alice, bob, here, there } = await pair();
    const answeredAt: number[] = [];
    there.handle(1, (packet, from, socket) => void there.send(from, Uint8Array.of(2, ...packet), socket));
    here.handle(2, () => answeredAt.push(universe.now));
    universe.network.setDefaultLink({ latency: [10, 10] });
    here.send(bob.endpoint(PORT, 6), Uint8Array.of(1));
    await universe.run(1000);
    expect(answeredAt).toEqual([20]);
    expect(alice.edges.metrics.get("drop.udp.unknown-id")).toBe(0);
  });

  it("counts packets that nobody handles: unknown, empty, oversized, from port 0", async () => {
    const { universe, bob, here, there, heard, note } = await pair();
    const { metrics } = bob.edges;
    there.handle(1, note);
    there.handle(3, note);
    there.handle(3, undefined);
    for (const packet of [Uint8Array.of(3), Uint8Array.of(255), new Uint8Array()])
      here.send(bob.endpoint(PORT), packet);
    universe.network.inject(Uint8Array.of(1), makeEndpoint(Uint8Array.of(9, 9, 9, 9), 0), bob.endpoint(PORT));
    await universe.run(1000);
    expect([metrics.get("drop.udp.unknown-id"), heard]).toEqual([4, []]);
    const large = new Uint8Array(2049).fill(1);
    universe.network.inject(large, makeEndpoint(Uint8Array.of(9, 9, 9, 9), 9), bob.endpoint(PORT));
    await universe.run(1000);
    expect([metrics.get("drop.udp.oversized"), metrics.get("udp.received"), heard]).toEqual([1, 0, []]);
  });

  it("sends nothing that no socket can", async () => {
    const { universe, alice, bob } = world({ ipv6: true });
    const here = await bind(alice, { ipv6: false });
    expect(here.send(bob.endpoint(PORT, 6), Uint8Array.of(1))).toBe(false);
    expect(here.socketFor(bob.endpoint(PORT, 6))).toBeUndefined();
    expect(here.send(makeEndpoint(Uint8Array.of(1, 2, 3, 4), 0), Uint8Array.of(1))).toBe(false);
    expect(here.send(bob.endpoint(PORT), new Uint8Array(2049))).toBe(false);
    expect(alice.sockets[0]?.acquiredCount).toBe(0);
    expect(universe.events).toBe(0);
  });

  it("counts what the socket's full queue drops", async () => {
    const universe = new Universe();
    const alice = universe.host("alice", { uplink: { bandwidth: 1000, queue: 250 } });
    const bob = universe.host("bob");
    const here = await bind(alice);
    const answers = [1, 2, 3].map(() => here.send(bob.endpoint(PORT), new Uint8Array(100)));
    expect(answers).toEqual([true, true, false]);
    expect([alice.edges.metrics.get("udp.sent"), alice.edges.metrics.get("udp.sendDropped")]).toEqual([2, 1]);
  });

  it("is silent after close", async () => {
    const { universe, alice, bob, here, there } = await pair();
    there.handle(1, () => expect.unreachable());
    here.send(bob.endpoint(PORT), Uint8Array.of(1));
    there.close();
    there.close();
    const socket = here.socketFor(bob.endpoint(PORT));
    const buffer = socket?.acquire();
    here.close();
    expect(here.send(bob.endpoint(PORT), Uint8Array.of(1))).toBe(false);
    if (socket && buffer) expect(here.sendBuffer(socket, buffer, 1, bob.endpoint(PORT))).toBe(false);
    await universe.run(1000);
    expect([alice.sockets.length, bob.sockets.length]).toEqual([0, 0]);
  });
});

describe("dropCounter", () => {
  it("counts by packet and reason, and answers nothing", () => {
    const metrics = new MemoryMetrics();
    const drop = dropCounter(metrics, "cookieRequest");
    expect([drop("forged"), drop("forged"), drop("truncated")]).toEqual([undefined, undefined, undefined]);
    expect(metrics.snapshot()).toEqual({ "drop.cookieRequest.forged": 2, "drop.cookieRequest.truncated": 1 });
  });
});

describe("defaultPorts", () => {
  it("are toxcore's", () => {
    const ports = [...defaultPorts()];
    expect([ports[0], ports.at(-1), ports.length]).toEqual([33445, 33545, 101]);
  });
});
