import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { StreamEnd, StreamListener, StreamSocket } from "../../../src/env/stream.ts";
import { nodeStreams } from "../../../src/node/index.ts";

const LOOPBACK = { family: 4, address: Uint8Array.of(127, 0, 0, 1) } as const;
const streams = nodeStreams();
const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

async function listen(): Promise<StreamListener> {
  const listener = await streams.listen({ family: 4, port: 0, address: "127.0.0.1" });
  open.push(listener);
  return listener;
}

async function pair(queueLimit?: number): Promise<[ours: StreamSocket, theirs: StreamSocket]> {
  const listener = await listen();
  const accepted = new Promise<StreamSocket>((resolve) => {
    listener.onConnection = resolve;
  });
  const options = { timeoutMs: 5000, ...(queueLimit !== undefined && { queueLimit }) };
  const ours = await streams.connect({ ...LOOPBACK, port: listener.port }, options);
  const theirs = await accepted;
  open.push(ours, theirs);
  return [ours, theirs];
}

function ended(stream: StreamSocket): Promise<StreamEnd> {
  return new Promise((resolve) => {
    stream.onEnd = resolve;
  });
}

describe("a stream", () => {
  it("carries bytes both ways, in order, and knows who is there", async () => {
    const [ours, theirs] = await pair();
    expect(ours.remote).toMatchObject({ family: 4, address: Uint8Array.of(127, 0, 0, 1) });
    const heard: number[] = [];
    const done = new Promise<void>((resolve) => {
      ours.onData = (bytes) => {
        expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
        heard.push(...bytes);
        if (heard.length === 3) resolve();
      };
    });
    theirs.onData = (bytes) => theirs.write(bytes.slice());
    for (const byte of [1, 2, 3]) expect(ours.write(Uint8Array.of(byte))).toBe(true);
    await done;
    expect(heard).toEqual([1, 2, 3]);
  });

  it("refuses what goes beyond its queue, and tells when half of it is free", async () => {
    const [ours, theirs] = await pair(10_000);
    theirs.onData = () => {};
    expect(ours.write(new Uint8Array(10_000))).toBe(true);
    expect(ours.write(new Uint8Array(1))).toBe(false);
    expect(ours.queued).toBeGreaterThanOrEqual(10_000);
    await new Promise<void>((resolve) => {
      ours.onWritable = resolve;
    });
    expect(ours.queued).toBeLessThanOrEqual(5000);
    expect(ours.write(new Uint8Array(1))).toBe(true);
  });

  it("counts what many small pieces cost, which is more than their bytes", async () => {
    const [ours, theirs] = await pair(100_000);
    theirs.onData = () => {};
    let pieces = 0;
    while (ours.write(new Uint8Array(20))) pieces++;
    expect(pieces).toBeLessThan(200);
    await new Promise<void>((resolve) => {
      ours.onWritable = resolve;
    });
    await expect.poll(() => ours.queued).toBe(0);
  });

  it("ends with overflow when a write can never fit", async () => {
    const [ours] = await pair(100);
    const end = ended(ours);
    expect(ours.write(new Uint8Array(101))).toBe(false);
    expect(await end).toBe("overflow");
  });

  it("sends what waits when it is closed; the other side hears the end, the closer nothing", async () => {
    const [ours, theirs] = await pair();
    let received = 0;
    theirs.onData = (bytes) => {
      received += bytes.length;
    };
    const end = ended(theirs);
    ours.onEnd = () => expect.unreachable();
    ours.write(new Uint8Array(100_000));
    ours.close();
    expect(ours.write(Uint8Array.of(1))).toBe(false);
    expect(await end).toBe("ended");
    expect(received).toBe(100_000);
  });

  it("ends with reset when it breaks", async () => {
    const server = createServer((socket) => socket.once("data", () => socket.resetAndDestroy())).listen(0, "127.0.0.1");
    open.push(server);
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const stream = await streams.connect({ host: "localhost", port }, { timeoutMs: 5000 });
    const end = ended(stream);
    stream.write(Uint8Array.of(1));
    expect(await end).toBe("reset");
  });
});

describe("connecting", () => {
  it("says that nothing listens", async () => {
    const listener = await listen();
    listener.close();
    const failed = streams.connect({ ...LOOPBACK, port: listener.port }, { timeoutMs: 5000 });
    await expect(failed).rejects.toMatchObject({ code: "connection-failed" });
  });

  it("gives up when told to, and after its time, even while a name is looked up", async () => {
    const slow = nodeStreams({ resolver: { resolve: () => new Promise(() => {}) } });
    const to = { host: "slow.example", port: 1 };
    await expect(slow.connect(to, { timeoutMs: 5 })).rejects.toMatchObject({ code: "connection-failed" });
    const abort = new AbortController();
    const given = slow.connect(to, { timeoutMs: 60_000, signal: abort.signal });
    abort.abort();
    await expect(given).rejects.toMatchObject({ code: "aborted" });
  });

  it("leaves by the local address that was asked for", async () => {
    const listener = await streams.listen({ family: 4, port: 0 });
    open.push(listener);
    const accepted = new Promise<StreamSocket>((resolve) => {
      listener.onConnection = resolve;
    });
    const to = { ...LOOPBACK, port: listener.port };
    open.push(await streams.connect(to, { timeoutMs: 5000, fromIpv4: "127.0.0.77", fromIpv6: "::1" }));
    const stream = await accepted;
    open.push(stream);
    expect(stream.remote?.address).toEqual(Uint8Array.of(127, 0, 0, 77));
  });

  it("tries the addresses of a name until one answers", async () => {
    const listener = await listen();
    const resolver = { resolve: async () => [Uint8Array.of(127, 0, 0, 9), Uint8Array.of(127, 0, 0, 1)] };
    const to = { host: "two.example", port: listener.port };
    const stream = await nodeStreams({ resolver }).connect(to, { timeoutMs: 5000 });
    open.push(stream);
    expect(stream.remote?.address).toEqual(Uint8Array.of(127, 0, 0, 1));
  });
});

describe("listening", () => {
  it("says that a port is taken", async () => {
    const { port } = await listen();
    const again = streams.listen({ family: 4, port, address: "127.0.0.1" });
    await expect(again).rejects.toMatchObject({ code: "port-in-use" });
  });

  it("refuses an address of the other family", async () => {
    const wrong = streams.listen({ family: 4, port: 0, address: "::1" });
    await expect(wrong).rejects.toMatchObject({ code: "invalid-argument" });
  });
});
