import { describe, expect, it } from "vitest";
import { POISON, Universe } from "../../../src/testing/index.ts";
import { makeEndpoint } from "../../../src/util/endpoint.ts";
import { counted, Ears, join, PORT, streamPair } from "./streams_support.ts";

describe("SimulatedStream", () => {
  it("carries bytes both ways, what is written in one turn together, after the latency", async () => {
    const { universe, alice, out, into, aliceHears, bobHears } = await streamPair();
    expect(out.remote?.port).toBe(PORT);
    expect([...(into.remote?.address ?? [])]).toEqual([...(alice.addressOf(4) ?? [])]);
    const start = universe.now;
    out.write(Uint8Array.of(1, 2));
    out.write(Uint8Array.of(3));
    into.write(Uint8Array.of(9));
    expect(out.queued).toBe(3);
    await universe.runUntil(() => bobHears.pieces.length > 0);
    expect(universe.now - start).toBe(20);
    await universe.run(100);
    expect([bobHears.pieces, aliceHears.pieces, out.queued]).toEqual([[[1, 2, 3]], [[9]], 0]);
  });

  it.each([0.05, 0.3])("delivers all in order with a loss of %f, only later", async (loss) => {
    const { universe, out, into, aliceHears, bobHears } = await streamPair({
      seed: 4,
      link: { loss, latency: [10, 60], reordering: 0.1, duplication: 0.1 },
    });
    const sent = counted(200_000);
    out.write(sent.slice());
    into.write(counted(50_000));
    await universe.runUntil(() => bobHears.length === 200_000 && aliceHears.length === 50_000, {
      timeout: 600_000,
    });
    expect(Uint8Array.from(bobHears.bytes)).toEqual(sent);
    expect(Uint8Array.from(aliceHears.bytes)).toEqual(counted(50_000));
    expect(universe.trace.entries.filter(({ fate }) => fate === "lost").length).toBeGreaterThan(5);
  });

  it("keeps within a bandwidth and shares the host's line with datagrams", async () => {
    const { universe, out, bobHears } = await streamPair({
      alice: { uplink: { bandwidth: 50_000, queue: 10_000 } },
      link: { bandwidth: 100_000 },
    });
    const start = universe.now;
    out.write(counted(200_000));
    await universe.runUntil(() => bobHears.length === 200_000);
    expect(universe.now - start).toBeGreaterThan(3900);
    expect(universe.now - start).toBeLessThan(4500);
  });

  it("finds its pace on a line with a short queue", async () => {
    const { universe, out, bobHears } = await streamPair({ link: { bandwidth: 100_000, queue: 8_000 } });
    const start = universe.now;
    out.write(counted(250_000));
    await universe.runUntil(() => bobHears.length === 250_000);
    expect(universe.trace.entries.some(({ fate }) => fate === "queue-full")).toBe(true);
    expect(universe.now - start).toBeGreaterThan(2400);
    expect(universe.now - start).toBeLessThan(10_000);
  });

  it("takes no more than the queue limit, and tells when half of it is free", async () => {
    const { universe, out, aliceHears, bobHears } = await streamPair({
      queueLimit: 10_000,
      link: { bandwidth: 10_000 },
    });
    expect(out.write(counted(6000))).toBe(true);
    const kept = counted(5000);
    expect(out.write(kept)).toBe(false);
    expect(kept).toEqual(counted(5000));
    let queuedThen = -1;
    out.onWritable = () => {
      aliceHears.writable++;
      queuedThen = out.queued;
    };
    await universe.run(5000);
    expect(aliceHears.writable).toBe(1);
    expect(queuedThen).toBeLessThanOrEqual(5000);
    expect(bobHears.length).toBe(6000);
  });

  it("ends with overflow when one write can never fit, as on Node", async () => {
    const { universe, out, aliceHears, bobHears } = await streamPair({ queueLimit: 1000 });
    expect(out.write(counted(1001))).toBe(false);
    expect(aliceHears.ends).toEqual([]);
    await universe.run(100);
    expect([aliceHears.ends, bobHears.ends]).toEqual([["overflow"], ["reset"]]);
  });

  it("slows the sender down while the reader is paused, and goes on afterwards", async () => {
    const { universe, out, into, aliceHears, bobHears } = await streamPair({ queueLimit: 100_000 });
    into.pause();
    let written = 0;
    const fill = () => {
      while (out.write(counted(1000, written))) written += 1000;
    };
    out.onWritable = () => {
      aliceHears.writable++;
      fill();
    };
    fill();
    await universe.run(30_000);
    expect(bobHears.length).toBe(0);
    expect(written).toBeGreaterThan(100_000);
    expect(written).toBeLessThan(100_000 + 70_000);
    const before = written;
    into.resume();
    expect(bobHears.length).toBe(0);
    await universe.run(200);
    into.pause();
    expect(written).toBeGreaterThan(before);
    const heard = bobHears.length;
    expect(heard).toBeGreaterThan(60_000);
    await universe.run(1000);
    expect(bobHears.length).toBe(heard);
    expect(Uint8Array.from(bobHears.bytes)).toEqual(counted(heard));
  });

  it("asks for room again when the word of it was lost, and waits for a slow reader as long as it takes", async () => {
    const { universe, alice, bob, out, into, aliceHears, bobHears } = await streamPair();
    into.pause();
    out.write(counted(150_000));
    await universe.run(400_000);
    expect(aliceHears.ends).toEqual([]);
    universe.partition([alice], [bob]);
    into.resume();
    await universe.run(1000);
    universe.heal();
    await universe.runUntil(() => bobHears.length === 150_000, { timeout: 70_000 });
  });

  it("finishes after what waits, and the other side ends too", async () => {
    const { universe, alice, bob, out, into, aliceHears, bobHears } = await streamPair({ link: { bandwidth: 50_000 } });
    out.write(counted(100_000));
    into.write(counted(10));
    out.close();
    expect(out.write(counted(1))).toBe(false);
    await universe.run(4000);
    expect([bobHears.length, bobHears.ends, aliceHears.ends, aliceHears.pieces]).toEqual([100_000, ["ended"], [], []]);
    expect(into.write(counted(1))).toBe(false);
    expect([alice.edges.streams.open.length, bob.edges.streams.open.length]).toEqual([0, 0]);
    out.close();
    into.close();
    await universe.run(100_000);
    expect(universe.trace.entries.some(({ segment }) => segment === "reset")).toBe(false);
  });

  it("tells a paused reader of the end only after the data", async () => {
    const { universe, out, into, bobHears } = await streamPair();
    into.pause();
    out.write(counted(5000));
    out.close();
    await universe.run(20_000);
    expect([bobHears.length, bobHears.ends]).toEqual([0, []]);
    into.resume();
    await universe.run(100);
    expect([bobHears.length, bobHears.ends]).toEqual([5000, ["ended"]]);
  });

  it("gives up what still waits 5 s after it was closed", async () => {
    const { universe, out, bobHears } = await streamPair({ link: { bandwidth: 1000, queue: 2000 } });
    out.write(counted(50_000));
    out.close();
    await universe.run(7000);
    expect(bobHears.ends).toEqual(["reset"]);
    expect(bobHears.length).toBeLessThan(10_000);
  });

  it("is reset by a crash, of which the crashed side hears nothing", async () => {
    const { universe, bob, out, aliceHears, bobHears } = await streamPair();
    out.write(counted(10));
    bob.crash();
    await universe.run(19.9);
    expect(aliceHears.ends).toEqual([]);
    await universe.run(1);
    expect([aliceHears.ends, bobHears.ends, bobHears.pieces]).toEqual([["reset"], [], []]);
    expect(out.write(counted(1))).toBe(false);
    expect(bob.edges.streams.open).toEqual([]);
    await universe.run(200_000);
    expect(aliceHears.ends).toEqual(["reset"]);
  });

  it("finds out at the next segment that the other side has started anew", async () => {
    const { universe, bob, out, aliceHears } = await streamPair();
    bob.goOffline();
    bob.crash();
    bob.goOnline();
    await universe.run(10_000);
    expect(aliceHears.ends).toEqual([]);
    out.write(counted(1));
    await universe.run(41);
    expect(aliceHears.ends).toEqual(["reset"]);
  });

  it("stalls in a partition or while a host is offline, and goes on when that ends in time", async () => {
    const { universe, alice, bob, out, into, aliceHears, bobHears } = await streamPair();
    universe.partition([alice], [bob]);
    for (let i = 0; i < 50; i++) {
      out.write(counted(100, 100 * i));
      await universe.run(100);
    }
    into.write(counted(300));
    await universe.run(40_000);
    expect([bobHears.length, aliceHears.length]).toEqual([0, 0]);
    universe.heal();
    await universe.run(40_000);
    bob.goOffline();
    out.write(counted(100, 5000));
    await universe.run(20_000);
    bob.goOnline();
    await universe.run(30_000);
    expect(Uint8Array.from(bobHears.bytes)).toEqual(counted(5100));
    expect([aliceHears.length, aliceHears.ends, bobHears.ends]).toEqual([300, [], []]);
  });

  it("is reset when nobody answers for 100 s, and an idle one notices nothing", async () => {
    const { universe, bob, out, aliceHears, bobHears } = await streamPair();
    bob.goOffline();
    await universe.run(1_000_000);
    out.write(counted(1));
    await universe.run(99_000);
    expect(aliceHears.ends).toEqual([]);
    await universe.run(1_001);
    expect([aliceHears.ends, bobHears.ends]).toEqual([["reset"], []]);
  });

  it("spoils what a handler keeps, and what a writer keeps", async () => {
    const { universe, out, into } = await streamPair();
    let kept = new Uint8Array();
    into.onData = (bytes) => {
      expect([...bytes]).toEqual([1, 2]);
      kept = bytes as Uint8Array<ArrayBuffer>;
    };
    const written = Uint8Array.of(1, 2);
    out.write(written);
    await universe.run(100);
    expect([...written, ...kept]).toEqual(new Array(4).fill(POISON));
  });

  it("rejects the run when data meet an owner without a handler", async () => {
    const { universe, out, into } = await streamPair();
    into.onData = undefined;
    out.write(counted(1));
    await expect(universe.run(100)).rejects.toThrow(/onData/);
  });

  it("cuts data into segments as small as a test wants", async () => {
    const { universe, alice, bob } = await streamPair();
    universe.network.streams.segmentSize = 3;
    const { out, bobHears } = await join(universe, alice, bob);
    out.write(counted(7));
    await universe.run(500);
    expect(bobHears.pieces).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
  });
});

describe("SimulatedStreams", () => {
  const world = () => {
    const universe = new Universe({ link: { latency: [20, 20] } });
    const [alice, bob] = [universe.host("alice"), universe.host("bob", { ipv6: true })];
    return { universe, alice, bob, ...alice.edges };
  };

  it("is refused at once where nobody listens", async () => {
    const { universe, streams, bob } = world();
    const refused = streams.connect(bob.endpoint(PORT), { timeoutMs: 10_000 });
    await expect(universe.wait(refused)).rejects.toMatchObject({ code: "connection-failed" });
    expect(universe.now).toBe(40);
  });

  it("gives up connecting to nowhere after the caller's time", async () => {
    const { universe, streams, bob } = world();
    const nowhere = makeEndpoint(Uint8Array.of(203, 0, 113, 9), PORT);
    await expect(universe.wait(streams.connect(nowhere, { timeoutMs: 7000 }))).rejects.toMatchObject({
      code: "connection-failed",
    });
    expect(universe.now).toBe(7000);
    bob.goOffline();
    const offline = streams.connect(bob.endpoint(PORT), { timeoutMs: 1000 });
    await expect(universe.wait(offline)).rejects.toThrow(/no answer within 1000 ms/);
  });

  it("connects although the first words are lost", async () => {
    const { universe, streams, bob } = world();
    const listener = await bob.edges.streams.listen({ family: 4, port: PORT });
    let accepted = 0;
    listener.onConnection = () => void accepted++;
    bob.goOffline();
    const connecting = streams.connect(bob.endpoint(PORT), { timeoutMs: 10_000 });
    await universe.run(500);
    bob.goOnline();
    await universe.wait(connecting);
    await universe.run(5000);
    expect(accepted).toBe(1);
  });

  it("stops when aborted, and not before", async () => {
    const { universe, streams, bob } = world();
    bob.goOffline();
    const controller = new AbortController();
    const connecting = streams.connect(bob.endpoint(PORT), { timeoutMs: 10_000, signal: controller.signal });
    universe.at(100, () => controller.abort());
    await expect(universe.wait(connecting)).rejects.toMatchObject({ code: "aborted" });
    expect(universe.now).toBe(100);
    const late = streams.connect(bob.endpoint(PORT), { timeoutMs: 10_000, signal: controller.signal });
    await expect(late).rejects.toMatchObject({ code: "aborted" });
  });

  it("connects by name, over whichever family works", async () => {
    const { universe, streams, bob } = world();
    const listener = await bob.edges.streams.listen({ family: 4, port: PORT });
    listener.onConnection = (stream) => void new Ears(stream);
    const stream = await universe.wait(streams.connect({ host: "bob", port: PORT }, { timeoutMs: 1000 }));
    expect(stream.remote).toBe(bob.endpoint(PORT));
    const unknown = streams.connect({ host: "nobody", port: PORT }, { timeoutMs: 1000 });
    await expect(unknown).rejects.toMatchObject({ code: "connection-failed" });
    await expect(streams.connect(bob.endpoint(PORT, 6), { timeoutMs: 1000 })).rejects.toMatchObject({
      code: "connection-failed",
    });
  });

  it("refuses mistakes of the caller", async () => {
    const { streams, alice, bob } = world();
    const rejected = (promise: Promise<unknown>, code: string) => expect(promise).rejects.toMatchObject({ code });
    await streams.listen({ family: 4, port: PORT });
    await rejected(streams.listen({ family: 4, port: PORT }), "port-in-use");
    await rejected(streams.listen({ family: 6, port: PORT }), "family-unavailable");
    await rejected(streams.listen({ family: 4, port: 80, address: "1.2.3.4" }), "invalid-argument");
    await rejected(streams.connect({ host: "bob", port: 0 }, { timeoutMs: 1 }), "invalid-argument");
    await rejected(streams.connect(bob.endpoint(PORT), { timeoutMs: 0 }), "invalid-argument");
    expect((await streams.listen({ family: 4, port: 0, address: alice.address })).port).toBeGreaterThan(1024);
  });

  it("keeps a listener on the loopback address to the host itself", async () => {
    const { universe, streams, alice, bob } = world();
    const listener = await streams.listen({ family: 4, port: PORT, address: "127.0.0.1" });
    listener.onConnection = (stream) => void new Ears(stream);
    const home = streams.connect(makeEndpoint(Uint8Array.of(127, 0, 0, 1), PORT), { timeoutMs: 1000 });
    await universe.wait(home);
    const fromBob = bob.edges.streams.connect(alice.endpoint(PORT), { timeoutMs: 1000 });
    await expect(universe.wait(fromBob)).rejects.toMatchObject({ code: "connection-failed" });
  });

  it("closes a listener without its streams", async () => {
    const { universe, alice, bob } = world();
    const { out, bobHears } = await join(universe, alice, bob);
    out.write(counted(3));
    await universe.run(100);
    expect([bobHears.length, bobHears.ends, bob.edges.streams.listeners]).toEqual([3, [], []]);
    const refused = alice.edges.streams.connect(bob.endpoint(PORT), { timeoutMs: 1000 });
    await expect(universe.wait(refused)).rejects.toThrow(/nobody listens/);
  });

  it("makes a filtered connect hang and a filtered stream stall, in both directions", async () => {
    const { universe, alice, bob } = world();
    const { out, into, aliceHears, bobHears } = await join(universe, alice, bob);
    const stop = universe.network.addStreamFilter((_, server) => server.port !== PORT);
    out.write(counted(3));
    into.write(counted(4));
    const hanging = alice.edges.streams.connect(bob.endpoint(PORT), { timeoutMs: 5000 });
    await expect(universe.wait(hanging)).rejects.toThrow(/no answer/);
    const refused = alice.edges.streams.connect(bob.endpoint(80), { timeoutMs: 5000 });
    await expect(universe.wait(refused)).rejects.toThrow(/nobody listens/);
    expect([bobHears.length, aliceHears.length]).toEqual([0, 0]);
    stop();
    await universe.run(10_000);
    expect([bobHears.length, aliceHears.length]).toEqual([3, 4]);
  });

  it("sets no timer on the host's clock", async () => {
    const { alice, bob, out, into } = await streamPair({ link: { loss: 0.5 } });
    out.write(counted(10_000));
    into.write(counted(10_000));
    expect([alice.edges.clock.pending, bob.edges.clock.pending]).toEqual([0, 0]);
  });

  it("records segments in the trace, but not acknowledgements", async () => {
    const { universe, out } = await streamPair();
    out.write(counted(3));
    out.close();
    await universe.run(1000);
    const lines = universe.trace.format().split("\n");
    expect(lines[0]).toBe("20.000 198.18.0.1:49152 > 198.18.1.1:443 tcp connect 0 B delivered");
    const what = universe.trace.entries.map(({ protocol, segment, length }) => `${protocol} ${segment} ${length}`);
    expect(what).toEqual(["tcp connect 0", "tcp accept 0", "tcp data 3", "tcp finish 0", "tcp finish 0"]);
  });
});
