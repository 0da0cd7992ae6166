import { afterEach, describe, expect, it, vi } from "vitest";
import { MemoryMetrics } from "../../../../src/env/metrics.ts";
import type { Gateway, Grant } from "../../../../src/node/port_mapping/gateway.ts";
import { RenewedMapping } from "../../../../src/node/port_mapping/renewed_mapping.ts";
import { MemoryLogger } from "../../../../src/testing/memory_logger.ts";
import { Timeline } from "../../../../src/testing/timeline.ts";
import { VirtualClock } from "../../../../src/testing/virtual_clock.ts";
import { formatEndpoint } from "../../../../src/util/endpoint.ts";

const OUTER = Uint8Array.of(5, 6, 7, 8);

afterEach(() => void vi.useRealTimers());

/** A router made of functions, and what it was told. */
class Router implements Gateway {
  readonly kind = "pcp";
  readonly told: string[] = [];
  grant: (port: number, signal: AbortSignal) => Promise<Grant> = async (port) => ({
    externalPort: port,
    externalAddress: OUTER,
    lifetime: 1800,
  });

  map(protocol: string, port: number, _seconds: number, signal: AbortSignal) {
    this.told.push(`map ${protocol} ${port}`);
    return this.grant(port, signal);
  }

  async unmap(protocol: string, port: number) {
    this.told.push(`unmap ${protocol} ${port}`);
  }

  close() {
    this.told.push("close");
  }
}

function world(...routers: Router[]) {
  const timeline = new Timeline();
  const clock = new VirtualClock(timeline, 0);
  const logger = new MemoryLogger();
  const metrics = new MemoryMetrics();
  let changed = () => {};
  let searches = 0;
  const mapping = new RenewedMapping({
    ...{ clock, logger, metrics },
    interfaces: {
      onChange: (listener) => {
        changed = listener;
        return () => {};
      },
    },
    async *gateways() {
      searches++;
      yield* routers;
    },
  });
  const reached: string[] = [];
  return {
    ...{ mapping, metrics, logger, clock, reached },
    told: (external: Parameters<NonNullable<Parameters<typeof mapping.map>[2]>>[0]) =>
      void reached.push(external ? formatEndpoint(external) : "nobody"),
    searches: () => searches,
    changed: () => changed(),
    /** Virtual ms, and the turns that what happens in them takes. */
    async pass(ms: number) {
      const end = timeline.now + ms;
      for (let round = 0; round < 2; round++) {
        while (timeline.step(end));
        timeline.advance(end);
        for (let turn = 0; turn < 50; turn++) await Promise.resolve();
      }
    },
  };
}

describe("mapped ports", () => {
  it("are asked for, told of, renewed at half their time, and given back", async () => {
    const router = new Router();
    const { mapping, metrics, pass, reached, told, searches } = world(router);
    mapping.map("udp", 33445, told);
    mapping.map("tcp", 3389);
    expect(router.told).toEqual([]);
    await pass(0);
    expect(router.told).toEqual(["map udp 33445", "map tcp 3389"]);
    expect(reached).toEqual(["5.6.7.8:33445"]);
    expect(metrics.get("portMapping.ports")).toBe(2);
    await pass(899_000);
    expect(router.told).toHaveLength(2);
    await pass(2_000);
    expect(router.told).toHaveLength(4);
    expect(searches()).toBe(1);
    await mapping.close();
    expect(router.told.slice(4)).toEqual(["unmap udp 33445", "unmap tcp 3389", "close"]);
    expect(metrics.get("portMapping.unmapped")).toBe(2);
  });

  it("are moved to the next router when the first refuses, and looked for again, ever more rarely, when all do", async () => {
    const [deaf, kind] = [new Router(), new Router()];
    deaf.grant = () => Promise.reject(new Error("no"));
    const { mapping, pass } = world(deaf, kind);
    mapping.map("udp", 33445);
    await pass(0);
    expect(deaf.told).toEqual(["map udp 33445", "close"]);
    expect(kind.told).toEqual(["map udp 33445"]);
    await mapping.close();

    const refused = world(deaf);
    refused.mapping.map("udp", 33445);
    await refused.pass(0);
    const warnings = () => refused.logger.lines.filter(({ level }) => level === "warn").length;
    expect([refused.searches(), warnings()]).toEqual([1, 1]);
    await refused.pass(60_000);
    await refused.pass(60_000);
    expect(refused.searches()).toBe(2);
    await refused.pass(60_000);
    expect([refused.searches(), warnings()]).toEqual([3, 1]);
    await refused.mapping.close();
    expect(refused.clock.pending).toBe(0);
  });

  it("are told to be gone when the router no longer renews, and asked for elsewhere", async () => {
    const router = new Router();
    const { mapping, pass, reached, told } = world(router);
    mapping.map("udp", 33445, told);
    await pass(0);
    const { grant } = router;
    router.grant = () => Promise.reject(new Error("restarted"));
    await pass(900_000);
    expect(reached).toEqual(["5.6.7.8:33445", "nobody"]);
    router.grant = grant;
    await pass(60_000);
    expect(reached.at(-1)).toBe("5.6.7.8:33445");
    await mapping.close();
  });

  it("are asked for anew in another network", async () => {
    const { mapping, pass, searches, changed, reached, told } = world(new Router());
    mapping.map("udp", 33445, told);
    await pass(0);
    changed();
    await pass(0);
    expect(searches()).toBe(2);
    expect(reached).toEqual(["5.6.7.8:33445", "nobody", "5.6.7.8:33445"]);
    await mapping.close();
  });

  it.each([
    ["a private address", Uint8Array.of(192, 168, 1, 2)],
    ["multicast", Uint8Array.of(239, 1, 1, 1)],
    ["no address", undefined],
    ["five bytes", new Uint8Array(5).fill(9)],
  ])("are told to nobody when the router says it is at %s", async (_what, externalAddress) => {
    const router = new Router();
    router.grant = async (port) => ({ externalPort: port, externalAddress, lifetime: 1800 });
    const { mapping, pass, reached, told, metrics } = world(router);
    mapping.map("udp", 33445, told);
    await pass(0);
    expect(reached).toEqual([]);
    expect(metrics.get("portMapping.ports")).toBe(1);
    await mapping.close();
  });

  it("are renewed neither busily nor hardly ever, whatever the router grants", async () => {
    for (const [lifetime, atLeast] of [
      [1, 60_000],
      [0, 900_000],
      [0xffff_ffff, 900_000],
    ] as const) {
      const router = new Router();
      router.grant = async (port) => ({ externalPort: port, externalAddress: OUTER, lifetime });
      const { mapping, pass } = world(router);
      mapping.map("udp", 33445);
      await pass(0);
      await pass(atLeast - 1);
      expect(router.told).toHaveLength(1);
      await pass(1);
      expect(router.told).toHaveLength(2);
      await mapping.close();
    }
  });

  it("with port 0 are none", async () => {
    const router = new Router();
    router.grant = async () => ({ externalPort: 0, externalAddress: OUTER, lifetime: 1800 });
    const { mapping, pass, metrics } = world(router);
    mapping.map("udp", 33445);
    await pass(0);
    expect(metrics.get("portMapping.refused")).toBe(1);
    await mapping.close();
    expect(router.told).toEqual(["map udp 33445", "close"]);
  });

  it("that are granted while we leave are given back", async () => {
    const router = new Router();
    const granted = Promise.withResolvers<Grant>();
    router.grant = () => granted.promise;
    const { mapping, pass } = world(router);
    mapping.map("udp", 33445);
    mapping.map("tcp", 3389);
    await pass(0);
    const closed = mapping.close();
    granted.resolve({ externalPort: 33445, externalAddress: OUTER, lifetime: 1800 });
    await closed;
    expect(router.told).toEqual(["map udp 33445", "unmap udp 33445", "close"]);
  });

  it("are given back, and the router left, when it says nothing more of the next one for longer than we wait", async () => {
    vi.useFakeTimers();
    const router = new Router();
    const first = await router.grant(33445, new AbortController().signal);
    router.grant = (port, signal) =>
      port === 33445
        ? Promise.resolve(first)
        : new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const { mapping, pass, clock } = world(router);
    mapping.map("udp", 33445);
    mapping.map("tcp", 3389);
    await pass(0);
    const closed = mapping.close();
    await vi.advanceTimersByTimeAsync(1_000);
    await closed;
    await vi.advanceTimersByTimeAsync(10);
    expect(router.told).toEqual(["map udp 33445", "map tcp 3389", "unmap udp 33445", "close"]);
    expect(clock.pending).toBe(0);
  });

  it("are not waited for: closing takes a second at most", async () => {
    vi.useFakeTimers();
    const router = new Router();
    const { mapping, pass } = world(router);
    mapping.map("udp", 33445);
    await pass(0);
    router.unmap = () => new Promise(() => {});
    let isClosed = false;
    const closed = mapping.close().then(() => {
      isClosed = true;
    });
    await vi.advanceTimersByTimeAsync(999);
    expect(isClosed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await closed;
    expect(mapping.close()).toBe(mapping.close());
  });
});
