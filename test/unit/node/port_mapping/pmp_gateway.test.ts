import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { findPmpGateway } from "../../../../src/node/port_mapping/pmp_gateway.ts";
import { SeededRandom } from "../../../../src/testing/seeded_random.ts";
import { type FakePmpRouterOptions, fakePmpRouter } from "../../../support/fake_pmp_router.ts";

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});
function kept<T extends { close(): void }>(one: T): T {
  open.push(one);
  return one;
}

const signal = new AbortController().signal;

async function world(options: FakePmpRouterOptions) {
  const router = kept(await fakePmpRouter(options));
  const asked = { router: "127.0.0.1", port: router.port, random: new SeededRandom(1) };
  return { router, find: async () => kept(await findPmpGateway(asked, signal)) };
}

describe("a router's PCP and NAT-PMP", () => {
  it.each([
    ["pcp", "pcp", 2],
    ["nat-pmp", "nat-pmp", 0],
    ["both", "pcp", 2],
  ] as const)("are used as it speaks them: %s", async (speaks, kind, version) => {
    const { router, find } = await world({ speaks });
    const gateway = await find();
    expect(gateway.kind).toBe(kind);
    const grant = await gateway.map("udp", 33445, 1800, signal);
    expect(grant).toEqual({ externalPort: 33445, externalAddress: Uint8Array.of(5, 6, 7, 8), lifetime: 1800 });
    await gateway.map("tcp", 3389, 1800, signal);
    await gateway.unmap("udp", 33445, 33445, signal);
    const given = router.requests.map(({ internalPort, lifetime }) => [internalPort, lifetime]);
    expect(given).toEqual([
      [33445, 1800],
      [3389, 1800],
      [33445, 0],
    ]);
    expect(router.requests.every((request) => request.version === version)).toBe(true);
  });

  it("are asked again when a datagram is lost", async () => {
    let lost = 0;
    const { find } = await world({ speaks: "nat-pmp", spoil: (answer) => (lost++ < 3 ? [] : [answer]) });
    expect((await find()).kind).toBe("nat-pmp");
  });

  it("may be hostile: what is no answer is not taken, the real one is", async () => {
    const { find } = await world({
      speaks: "pcp",
      spoil: (answer, request) => {
        const wrongNonce = Buffer.from(answer);
        if (request[1] === 1) wrongNonce[24] = (wrongNonce[24] ?? 0) ^ 1;
        const wrongPort = Buffer.from(answer);
        if (request[1] === 1) wrongPort.writeUInt16BE(1, 40);
        const spoilt = request[1] === 1 ? [wrongNonce, wrongPort] : [];
        return [new Uint8Array(), Buffer.of(2), Buffer.alloc(1500, 0xff), answer.subarray(0, 20), ...spoilt, answer];
      },
    });
    const gateway = await find();
    expect(await gateway.map("udp", 33445, 60, signal)).toMatchObject({ externalPort: 33445, lifetime: 60 });
  });

  it("are refused with the router's own code", async () => {
    const { find } = await world({
      speaks: "pcp",
      spoil: (answer, request) => {
        if (request[1] === 1) answer[3] = 8;
        return [answer];
      },
    });
    await expect((await find()).map("udp", 33445, 60, signal)).rejects.toThrow("result 8");
  });

  it("are given up at once where nobody listens, and when told to", async () => {
    const { router, find } = await world({ speaks: "both" });
    router.close();
    open.length = 0;
    await expect(find()).rejects.toThrow();

    const silent = kept(createSocket("udp4").bind(0, "127.0.0.1"));
    await once(silent, "listening");
    const abort = new AbortController();
    const options = { router: "127.0.0.1", port: silent.address().port, random: new SeededRandom(1) };
    const found = findPmpGateway(options, abort.signal);
    silent.once("message", () => abort.abort(new Error("enough")));
    await expect(found).rejects.toThrow("enough");
  });
});
