import { beforeEach, describe, expect, it } from "vitest";
import {
  decodeForwarding,
  encodeForwardReply,
  encodeForwardRequest,
  MAX_FORWARD_DATA_SIZE,
} from "../../../src/wire/dht/forwarding.ts";
import { PacketId } from "../../../src/wire/packet_ids.ts";
import { DhtWorld, type WorldNode } from "./dht_world.ts";
import { Stranger } from "./stranger.ts";

let world: DhtWorld;
let nodes: WorldNode[];
let asker: Stranger;
let target: Stranger;

/** Three of ours and a target that each of them knows. */
beforeEach(async () => {
  world = new DhtWorld({ link: { latency: [10, 10] } });
  nodes = await world.crowd(3);
  asker = await Stranger.create(world, "asker");
  target = await Stranger.create(world, "target");
  await world.universe.run(2000);
  for (const node of nodes) {
    target.network.handle(PacketId.PingRequest, (bytes, from) => {
      const sendback = new DataView(target.open({ bytes, from }).buffer).getBigUint64(1);
      target.send(from, target.pingResponse(node.publicKey, sendback));
    });
    target.send(node.endpoint, target.pingRequest(node.publicKey));
    await world.universe.run(200);
  }
});

const node = (index: number) => nodes[index] as WorldNode;
const run = () => world.universe.run(200);
const encoded = (encode: (into: Uint8Array) => number): Uint8Array => {
  const into = new Uint8Array(2048);
  return into.slice(0, encode(into));
};
const chain = (path: readonly Uint8Array[], data: Uint8Array): Uint8Array =>
  path.reduceRight(
    (inner, next) => encoded((into) => encodeForwardRequest(into, { next: next as never, data: inner })),
    data,
  );
const forwardingsTo = (who: Stranger) =>
  who.got(PacketId.Forwarding).map(({ bytes, from }) => ({ from, ...decodeForwarding(bytes, () => undefined) }));

describe("forwarding", () => {
  it.each([1, 2, 3])("takes a request over %i nodes, and its reply back", async (hops) => {
    const between = [node(1), node(2)].slice(0, hops - 1).map((hop) => hop.publicKey);
    asker.send(node(0).endpoint, chain([...between, target.keyPair.publicKey], Uint8Array.of(42, 1, 2)));
    await run();
    const [request] = forwardingsTo(target);
    expect(request?.data).toEqual(Uint8Array.of(42, 1, 2));
    expect(request?.from).toEqual(node(hops - 1).endpoint);
    const sendback = request?.sendback as Uint8Array;
    expect(sendback.length).toBeGreaterThan(32);
    target.send(
      node(hops - 1).endpoint,
      encoded((into) => encodeForwardReply(into, { sendback, data: Uint8Array.of(9) })),
    );
    await run();
    const replies = forwardingsTo(asker);
    expect(replies.map(({ data, sendback: empty }) => ({ data, empty }))).toEqual([
      { data: Uint8Array.of(9), empty: new Uint8Array(0) },
    ]);
    expect(replies[0]?.from).toEqual(node(0).endpoint);
  });

  it("takes a reply for an hour, and none that was forged", async () => {
    asker.send(node(0).endpoint, chain([target.keyPair.publicKey], Uint8Array.of(42)));
    await run();
    const sendback = forwardingsTo(target)[0]?.sendback as Uint8Array;
    const reply = (bytes: Uint8Array) =>
      target.send(
        node(0).endpoint,
        encoded((into) => encodeForwardReply(into, { sendback: bytes, data: Uint8Array.of(9) })),
      );
    const forged = sendback.slice();
    forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;
    reply(forged);
    reply(sendback.slice(0, 32));
    await run();
    expect(node(0).count("drop.forwardReply.forged")).toBe(1);
    expect(node(0).count("drop.forwardReply.truncated")).toBe(1);
    expect(forwardingsTo(asker)).toEqual([]);
    await world.universe.run(3_500_000);
    reply(sendback);
    await run();
    expect(forwardingsTo(asker).length).toBe(1);
    await world.universe.run(4_000_000);
    reply(sendback);
    await run();
    expect(forwardingsTo(asker).length).toBe(1);
  });

  it("drops requests to nodes it does not know, too long ones, and answers nobody asked for", async () => {
    asker.send(node(0).endpoint, chain([asker.keyPair.publicKey], Uint8Array.of(42)));
    asker.send(node(0).endpoint, chain([target.keyPair.publicKey], new Uint8Array(MAX_FORWARD_DATA_SIZE + 1)));
    asker.send(node(0).endpoint, Uint8Array.of(PacketId.Forwarding, 0, 1, 2, 3));
    asker.send(node(0).endpoint, Uint8Array.of(PacketId.Forwarding, 200, 1, 2, 3));
    await run();
    expect(node(0).count("drop.forwardRequest.not-for-us")).toBe(1);
    expect(node(0).count("drop.forwardRequest.oversized")).toBe(1);
    expect(node(0).count("drop.forwarding.unsolicited")).toBe(1);
    expect(node(0).count("drop.forwarding.truncated")).toBe(1);
    expect(target.got(PacketId.Forwarding)).toEqual([]);
  });

  it("stops a chain whose sendback would no longer fit", async () => {
    const long = Array.from({ length: 12 }, (_, i) => node((i + 1) % 3).publicKey);
    asker.send(node(0).endpoint, chain([...long, target.keyPair.publicKey], Uint8Array.of(42)));
    await world.universe.run(1000);
    expect(target.got(PacketId.Forwarding)).toEqual([]);
    const dropped = nodes.map((each) => each.count("drop.forwardRequest.oversized"));
    expect(dropped.reduce((sum, count) => sum + count, 0)).toBe(1);
  });
});

describe("bootstrap info", () => {
  it("is told by a bootstrap daemon only, and only to a request of the right length", async () => {
    const daemon = await world.node("daemon", {}, { bootstrapInfo: { version: 1000002018, motd: "grüß dich" } });
    const request = new Uint8Array(78);
    request[0] = PacketId.BootstrapInfo;
    for (const to of [daemon, node(0)]) asker.send(to.endpoint, request);
    asker.send(daemon.endpoint, request.slice(1));
    asker.send(daemon.endpoint, Uint8Array.of(...request, 0));
    await run();
    const answers = asker.got(PacketId.BootstrapInfo);
    expect(answers.length).toBe(1);
    expect(new TextDecoder().decode(answers[0]?.bytes.slice(5))).toBe("grüß dich\0");
    expect(new DataView((answers[0] as { bytes: Uint8Array }).bytes.buffer).getUint32(1)).toBe(1000002018);
  });

  it("is cut to 256 bytes at a character's end", async () => {
    const daemon = await world.node("daemon", {}, { bootstrapInfo: { version: 1, motd: `x${"ü".repeat(300)}` } });
    const request = new Uint8Array(78);
    request[0] = PacketId.BootstrapInfo;
    asker.send(daemon.endpoint, request);
    await run();
    const motd = asker.got(PacketId.BootstrapInfo)[0]?.bytes.slice(5);
    expect(new TextDecoder("utf-8", { fatal: true }).decode(motd)).toBe(`x${"ü".repeat(127)}\0`);
  });
});
