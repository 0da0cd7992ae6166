import { createSocket } from "node:dgram";
import { afterEach, describe, expect, it } from "vitest";
import type { BindOptions, DatagramSocket, Endpoint, IpFamily } from "../../../src/env/datagram.ts";
import { MAX_DATAGRAM_SIZE } from "../../../src/env/datagram.ts";
import { MemoryMetrics } from "../../../src/env/metrics.ts";
import { type NodeDatagramOptions, nodeDatagrams } from "../../../src/node/index.ts";
import { formatEndpoint, makeEndpoint, parseAddress } from "../../../src/util/endpoint.ts";

const sockets: DatagramSocket[] = [];

async function bind(options: Partial<BindOptions> = {}, port?: NodeDatagramOptions): Promise<DatagramSocket> {
  const family = options.family ?? 4;
  const socket = await nodeDatagrams(port).bind({ family, port: 0, address: loopback[family], ...options });
  sockets.push(socket);
  return socket;
}

const loopback: Record<IpFamily, string> = { 4: "127.0.0.1", 6: "::1" };

const endpointOf = (socket: DatagramSocket): Endpoint =>
  makeEndpoint(parseAddress(loopback[socket.family]) ?? new Uint8Array(4), socket.port);

const sendText = (socket: DatagramSocket, text: string, to: Endpoint): boolean => {
  const buffer = socket.acquire();
  const { written } = new TextEncoder().encodeInto(text, buffer);
  return socket.send(buffer, written, to);
};

async function until(condition: () => boolean): Promise<void> {
  const start = performance.now();
  while (!condition()) {
    if (performance.now() - start > 3000) throw new Error("Waited in vain.");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

describe("nodeDatagrams", () => {
  it.each<IpFamily>([4, 6])("sends and receives over IPv%i", async (family) => {
    const [alice, bob] = [await bind({ family }), await bind({ family })];
    const heard: string[] = [];
    const sources: Endpoint[] = [];
    alice.onDatagram = (bytes, from) => {
      heard.push(new TextDecoder().decode(bytes));
      sources.push(from);
    };
    bob.onDatagram = (bytes, from) => {
      expect(bytes.constructor).toBe(Uint8Array);
      const buffer = bob.acquire();
      buffer.set(bytes);
      expect(bob.send(buffer, bytes.length, from)).toBe(true);
    };
    for (const text of ["one", "two", "", "x".repeat(MAX_DATAGRAM_SIZE)]) {
      expect(sendText(alice, text, endpointOf(bob))).toBe(true);
    }
    await until(() => heard.length === 4);
    expect(heard).toEqual(["one", "two", "", "x".repeat(MAX_DATAGRAM_SIZE)]);
    expect(formatEndpoint(sources[0] ?? endpointOf(alice))).toBe(formatEndpoint(endpointOf(bob)));
    expect(sources.every((source) => source === sources[0])).toBe(true);
  });

  it("hands out its buffers again once they are sent or released", async () => {
    const [alice, bob] = [await bind(), await bind()];
    const buffers = new Set<Uint8Array>();
    let received = 0;
    bob.onDatagram = () => {
      received++;
    };
    for (let round = 0; round < 50; round++) {
      const released = alice.acquire();
      expect(released.length).toBe(MAX_DATAGRAM_SIZE);
      alice.release(released);
      alice.release(released);
      const [first, second] = [alice.acquire(), alice.acquire()];
      expect(first).not.toBe(second);
      for (const buffer of [first, second]) {
        buffers.add(buffer);
        alice.send(buffer, 10, endpointOf(bob));
        expect(alice.send(buffer, 10, endpointOf(bob))).toBe(false);
      }
      await until(() => received === 2 * (round + 1));
    }
    expect(buffers.size).toBeLessThanOrEqual(4);
  });

  it("keeps a buffer untouched until the system has it", async () => {
    const [alice, bob] = [await bind(), await bind()];
    const heard: number[] = [];
    bob.onDatagram = (bytes) => heard.push(bytes[0] ?? -1);
    for (let i = 0; i < 100; i++) {
      const buffer = alice.acquire();
      buffer[0] = i;
      alice.send(buffer, 1, endpointOf(bob));
    }
    await until(() => heard.length === 100);
    expect(heard).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  it("answers false beyond its queue and says when there is room again", async () => {
    const metrics = new MemoryMetrics();
    const alice = await bind({}, { queueLimit: 3000, metrics });
    const bob = await bind();
    let writable = 0;
    alice.onWritable = () => {
      writable++;
    };
    const answers = [1, 2, 3, 4].map(() => alice.send(alice.acquire(), 1000, endpointOf(bob)));
    expect(answers).toEqual([true, true, true, false]);
    await until(() => writable === 1);
    expect(alice.send(alice.acquire(), 1000, endpointOf(bob))).toBe(true);
    expect(metrics.get("udp.queueFull")).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(writable).toBe(1);
  });

  it("refuses a port in use, and frees it on close", async () => {
    const alice = await bind();
    await expect(bind({ port: alice.port })).rejects.toMatchObject({ name: "ToxError", code: "port-in-use" });
    alice.close();
    alice.close();
    expect((await bind({ port: alice.port })).port).toBe(alice.port);
  });

  it("says which address or port is none", async () => {
    const mistake = { name: "ToxError", code: "invalid-argument" };
    await expect(bind({ address: "::1" })).rejects.toMatchObject(mistake);
    await expect(bind({ family: 6, address: "127.0.0.1" })).rejects.toMatchObject(mistake);
    await expect(bind({ address: "localhost" })).rejects.toMatchObject(mistake);
    for (const port of [-1, 65536, 1.5, Number.NaN]) await expect(bind({ port })).rejects.toMatchObject(mistake);
    const absent = { name: "ToxError", code: "family-unavailable" };
    await expect(bind({ address: "192.0.2.1" })).rejects.toMatchObject(absent);
  });

  it("takes no IPv4 datagrams on an IPv6 socket, so that both can have the port", async () => {
    const six = await bind({ family: 6, address: "::" });
    const four = await bind({ family: 4, port: six.port, address: "0.0.0.0" });
    expect(four.port).toBe(six.port);
  });

  it("counts what cannot be sent and goes on", async () => {
    const metrics = new MemoryMetrics();
    const alice = await bind({}, { metrics });
    const bob = await bind();
    let received = 0;
    bob.onDatagram = () => {
      received++;
    };
    const unsendable = [
      makeEndpoint(Uint8Array.of(127, 0, 0, 1), 0), // no port
      makeEndpoint(new Uint8Array(16).fill(1), 1000), // no IPv4 address
    ];
    for (const to of unsendable) expect(alice.send(alice.acquire(), 10, to)).toBe(true);
    await until(() => metrics.get("udp.sendError") === unsendable.length);
    sendText(alice, "still here", endpointOf(bob));
    await until(() => received === 1);
  });

  it("says nothing after close", async () => {
    const [alice, bob] = [await bind(), await bind()];
    bob.onDatagram = () => expect.unreachable();
    alice.onWritable = () => expect.unreachable();
    sendText(alice, "late", endpointOf(bob));
    bob.close();
    const buffer = alice.acquire();
    alice.close();
    expect(alice.send(buffer, 1, endpointOf(bob))).toBe(false);
    alice.release(alice.acquire());
    await new Promise((resolve) => setTimeout(resolve, 20));
  });

  it("outlives any datagram that a stranger sends", async () => {
    const alice = await bind();
    const lengths: number[] = [];
    alice.onDatagram = (bytes) => lengths.push(bytes.length);
    const stranger = createSocket("udp4");
    for (const length of [0, 1, MAX_DATAGRAM_SIZE + 1, 60_000]) {
      stranger.send(new Uint8Array(length), alice.port, "127.0.0.1");
    }
    await until(() => lengths.length === 4);
    stranger.close();
    expect(lengths.sort((a, b) => a - b)).toEqual([0, 1, MAX_DATAGRAM_SIZE + 1, 60_000]);
  });
});
