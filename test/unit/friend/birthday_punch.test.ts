import { describe, expect, it } from "vitest";
import type { DatagramSocket, Endpoint } from "../../../src/env/datagram.ts";
import { MemoryMetrics } from "../../../src/env/metrics.ts";
import { BirthdayPunch, PunchingOffice } from "../../../src/friend/birthday_punch.ts";
import type { FriendSession } from "../../../src/friend/ports.ts";
import { SeededRandom } from "../../../src/testing/seeded_random.ts";
import { Timeline } from "../../../src/testing/timeline.ts";
import { VirtualClock } from "../../../src/testing/virtual_clock.ts";
import { makeEndpoint } from "../../../src/util/endpoint.ts";
import { ignoreDrop } from "../../../src/wire/drop.ts";
import { Capability, encodeNatReport, encodePunchReady, type NatKind } from "../../../src/wire/friend/extension.ts";

const FRIEND = Uint8Array.of(198, 18, 9, 9);

/** One side of it, with a friend who says whatever the test wants. */
class Side {
  readonly timeline = new Timeline();
  readonly metrics = new MemoryMetrics();
  readonly said: { readonly endpoint: Endpoint; readonly socket: DatagramSocket | undefined; readonly at: number }[] =
    [];
  readonly sent: Uint8Array[] = [];
  readonly open = new Set<DatagramSocket>();
  seen: NatKind = "unknown";
  direct: DatagramSocket | undefined;
  isDirect = false;
  readonly #office: PunchingOffice;

  constructor() {
    const sockets = {
      openMore: async (count: number) => {
        const opened = Array.from({ length: count }, () => ({}) as DatagramSocket);
        for (const socket of opened) this.open.add(socket);
        return opened;
      },
      closeSocket: (socket: DatagramSocket) => void this.open.delete(socket),
    };
    this.#office = new PunchingOffice(
      sockets,
      new VirtualClock(this.timeline, 0),
      new SeededRandom("punch"),
      this.metrics,
    );
  }

  friend(): BirthdayPunch {
    const side = this;
    const session = {
      get endpoint() {
        return side.isDirect ? makeEndpoint(FRIEND, 4000) : undefined;
      },
      get socket() {
        return side.direct;
      },
      sayAt: (endpoint: Endpoint, socket?: DatagramSocket) => {
        this.said.push({ endpoint, socket, at: this.timeline.now });
        return true;
      },
    } as unknown as FriendSession;
    return new BirthdayPunch(this.#office, {
      seenAs: () => (this.seen === "unknown" ? undefined : { kind: this.seen, endpoint: makeEndpoint(FRIEND, 4000) }),
      session: () => session,
      send: (packet) => this.sent.push(packet) > 0,
      drop: ignoreDrop,
    });
  }

  async pass(ms: number): Promise<void> {
    const end = this.timeline.now + ms;
    while (this.timeline.step(end)) await Promise.resolve();
    this.timeline.advance(end);
    await Promise.resolve();
  }
}

async function started(seen: NatKind): Promise<{ readonly side: Side; readonly punch: BirthdayPunch }> {
  const side = new Side();
  side.seen = seen;
  const punch = side.friend();
  punch.peerHas(Capability.BirthdayPunch);
  await side.pass(3_000);
  return { side, punch };
}

describe("birthday punch", () => {
  it("says how it sees the other's router, once", async () => {
    const { side } = await started("random");
    await side.pass(60_000);
    expect(side.sent).toEqual([encodeNatReport("random")]);
  });

  it("says nothing to a peer who does not know of it", async () => {
    const side = new Side();
    side.seen = "random";
    side.friend().peerHas(Capability.NumberedMessages);
    await side.pass(60_000);
    expect([side.sent, side.said]).toEqual([[], []]);
  });

  it("behind random ports opens 256 sockets towards the one address, and closes all but the one that was hit", async () => {
    const { side, punch } = await started("stable");
    punch.handle(encodeNatReport("random"));
    await side.pass(1_000);
    expect([side.open.size, side.said.length, new Set(side.said.map(({ socket }) => socket)).size]).toEqual([
      256, 256, 256,
    ]);
    expect(side.said.every(({ endpoint }) => endpoint.port === 4000)).toBe(true);
    expect(side.sent.at(-1)).toEqual(encodePunchReady(256));
    const hit = [...side.open][77] as DatagramSocket;
    side.isDirect = true;
    side.direct = hit;
    punch.pathChanged();
    expect([...side.open]).toEqual([hit]);
    punch.stop();
    expect(side.open.size).toBe(0);
  });

  it("closes every socket when none was hit, or when the session ends meanwhile", async () => {
    const { side, punch } = await started("stable");
    punch.handle(encodeNatReport("random"));
    await side.pass(15_000);
    expect(side.open.size).toBe(0);
    const other = await started("stable");
    other.punch.handle(encodeNatReport("random"));
    other.side.timeline.step(Number.POSITIVE_INFINITY);
    other.punch.stop();
    await other.side.pass(1_000);
    expect([side.open.size, other.side.open.size]).toEqual([0, 0]);
  });

  it("probes ports of the address that the DHT agrees on, each once, at no more than 200 a second", async () => {
    const { side, punch } = await started("random");
    punch.handle(encodeNatReport("stable"));
    punch.handle(encodePunchReady(256));
    await side.pass(10_000);
    expect(side.said.length).toBe(1_400);
    expect(new Set(side.said.map(({ endpoint }) => endpoint.port)).size).toBe(1_400);
    expect(side.said.every(({ endpoint }) => endpoint.port >= 1024 && endpoint.address.join() === FRIEND.join())).toBe(
      true,
    );
    const first = side.said[0]?.at ?? 0;
    expect(side.said.filter(({ at }) => at < first + 1_000).length).toBeLessThanOrEqual(200);
  });

  it("does not probe when both routers, or neither, give out random ports, or the friend's is not known", async () => {
    for (const [seen, own] of [
      ["random", "random"],
      ["stable", "stable"],
      ["stable", "random"],
      ["unknown", "stable"],
      ["random", "unknown"],
    ] as const) {
      const { side, punch } = await started(seen);
      punch.handle(encodeNatReport(own));
      punch.handle(encodePunchReady(256));
      await side.pass(20_000);
      expect(side.metrics.get("friend.punch.probes")).toBe(0);
    }
  });

  it("is not made to send without end by a friend who is never content", async () => {
    const { side, punch } = await started("random");
    for (let i = 0; i < 3_600; i++) {
      punch.handle(encodeNatReport(i % 2 === 0 ? "stable" : "random"));
      punch.handle(encodeNatReport("stable"));
      punch.handle(encodePunchReady(65_535));
      punch.handle(Uint8Array.of(150, 4));
      punch.handle(Uint8Array.of(150, 3, 77));
      await side.pass(1_000);
    }
    expect(side.said.length).toBeLessThanOrEqual(9 * 1_400);
    expect(side.sent.length).toBe(1);
  });

  it("is not made to by one who is direct for a moment now and then", async () => {
    const { side, punch } = await started("random");
    for (let i = 0; i < 600; i++) {
      punch.handle(encodeNatReport("stable"));
      punch.handle(encodePunchReady(256));
      await side.pass(5_000);
      side.isDirect = true;
      punch.pathChanged();
      await side.pass(1_000);
      side.isDirect = false;
      punch.pathChanged();
    }
    expect(side.said.length).toBeLessThanOrEqual(9 * 1_400);
  });

  it("takes part in one campaign at a time, whoever asks", async () => {
    const { side } = await started("random");
    const friends = Array.from({ length: 20 }, () => side.friend());
    for (const friend of friends) {
      friend.peerHas(Capability.BirthdayPunch);
      friend.handle(encodeNatReport("stable"));
      friend.handle(encodePunchReady(256));
    }
    await side.pass(10_000);
    expect(side.said.length).toBe(1_400);
  });

  it("knows no other packet", () => {
    expect(new Side().friend().handle(Uint8Array.of(150, 5))).toBe(false);
  });
});
