import { describe, expect, it } from "vitest";
import type { Session } from "../../../src/net_crypto/session.ts";
import { Universe } from "../../../src/testing/index.ts";
import { join, MinimalPeer, u32 } from "./minimal_peer.ts";
import { numbered, publicKeyOf, Recorder, startNode, type TestNode } from "./support.ts";

/** What toxcore does against the written specification, each pinned by packets made by hand. */

interface Scene {
  readonly universe: Universe;
  readonly node: TestNode;
  readonly peer: MinimalPeer;
}

async function scene(seed = 1): Promise<Scene> {
  const universe = new Universe({ seed, link: { latency: [10, 10] } });
  const node = await startNode(universe, universe.host("node"));
  const host = universe.host("peer");
  const peer = await MinimalPeer.start(host, node.endpoint, node.keys.self.publicKey, node.keys.dht.publicKey);
  return { universe, node, peer };
}

async function cookieOf({ universe, peer }: Scene): Promise<Uint8Array> {
  const before = peer.of(0x19).length;
  peer.send(peer.cookieRequest(new Uint8Array(8)));
  await universe.run(25);
  const response = peer.of(0x19)[before];
  if (response === undefined) throw new Error("No cookie came.");
  return peer.openCookieResponse(response).cookie;
}

/** The peer connects to the node and takes its handshake. The session is unconfirmed. */
async function opened(begun: Scene): Promise<Scene & { recorder: Recorder }> {
  const cookie = await cookieOf(begun);
  begun.peer.send(begun.peer.handshake(cookie));
  await begun.universe.run(25);
  begun.peer.takeHandshake(begun.peer.of(0x1a).at(-1) as Uint8Array);
  return { ...begun, recorder: begun.node.incoming.at(-1) as Recorder };
}

/** The same, and confirmed. */
async function established(begun?: Scene): Promise<Scene & { recorder: Recorder; session: Session }> {
  const scene_ = await opened(begun ?? (await scene()));
  scene_.peer.send(scene_.peer.packet(0, 0, 1));
  await scene_.universe.run(15);
  const session = scene_.recorder.session;
  if (session === undefined) throw new Error("Not established.");
  return { ...scene_, session };
}

const dropped = (node: TestNode, what: string): number => node.host.edges.metrics.get(`drop.${what}`);

describe("trap 1, base nonces", () => {
  it("each side encrypts with the nonce of its own handshake, whoever began", async () => {
    const { universe, peer, recorder, session } = await established();
    session.send(numbered(5), "message");
    peer.send(peer.packet(0, 0, 64, 1, 2));
    await universe.run(30);
    expect(recorder.lossless).toEqual([Uint8Array.of(64, 1, 2)]);
    expect(peer.opened.some((packet) => packet.data[0] === 64)).toBe(true);
  });

  it("holds for a session that we begin", async () => {
    const { universe, node, peer } = await scene();
    const recorder = new Recorder();
    const session = node.netCrypto.connect(publicKeyOf(peer.self.publicKey), publicKeyOf(peer.dht.publicKey), recorder);
    session.addEndpoint(peer.endpoint);
    await universe.run(15);
    const request = peer.openCookieRequest(peer.of(0x18)[0] as Uint8Array);
    expect(request.self).toEqual(Uint8Array.from(node.keys.self.publicKey));
    expect(request.dht).toEqual(Uint8Array.from(node.keys.dht.publicKey));
    peer.send(peer.cookieResponse(request.echo));
    await universe.run(25);
    const cookie = peer.takeHandshake(peer.of(0x1a)[0] as Uint8Array);
    peer.send(peer.handshake(cookie));
    await universe.run(25);
    expect(session.state).toBe("unconfirmed");
    expect(peer.opened[0]?.data).toEqual(Uint8Array.of(1));
    peer.send(peer.packet(0, 0, 64, 9));
    await universe.run(15);
    expect(session.state).toBe("established");
    expect(recorder.lossless).toEqual([Uint8Array.of(64, 9)]);
  });
});

describe("trap 2, confirming a session", () => {
  it("an empty request leaves with the handshake and then every second, before anything has been heard", async () => {
    const { universe, peer } = await opened(await scene());
    expect(peer.opened.map((packet) => packet.data)).toEqual([Uint8Array.of(1)]);
    await universe.run(3000);
    expect(peer.opened.length).toBeGreaterThanOrEqual(4);
    expect(peer.opened.every((packet) => packet.data.length === 1 && packet.data[0] === 1)).toBe(true);
  });

  it("nothing lossless is sent before the peer has been decrypted", async () => {
    const { node, peer, recorder } = await opened(await scene());
    const session = node.netCrypto.session(publicKeyOf(peer.self.publicKey)) as Session;
    expect([session.state, recorder.established]).toEqual(["unconfirmed", 0]);
    expect(session.send(numbered(1), "message")).toBe(false);
    expect(session.sendLossy(Uint8Array.of(200))).toBe(false);
  });

  it("a handshake that is sent again is the same, and the peer may send its own again until it is confirmed", async () => {
    const begun = await scene();
    const cookie = await cookieOf(begun);
    const { universe, peer, node } = begun;
    const handshake = peer.handshake(cookie);
    peer.send(handshake);
    await universe.run(25);
    peer.takeHandshake(peer.of(0x1a)[0] as Uint8Array);
    peer.send(handshake);
    await universe.run(2500);
    const sent = peer.of(0x1a);
    expect(sent.length).toBeGreaterThanOrEqual(3);
    expect(sent.every((packet) => packet.every((byte, i) => byte === sent[0]?.[i]))).toBe(true);
    expect(node.incoming.length).toBe(1);
    peer.send(peer.packet(0, 0, 1));
    await universe.run(2000);
    expect(node.incoming[0]?.established).toBe(1);
    const before = peer.of(0x1a).length;
    await universe.run(5000);
    expect(peer.of(0x1a).length).toBe(before);
  });

  it("a handshake that overwrites the keys before the session is confirmed is taken", async () => {
    const begun = await opened(await scene());
    const { universe, peer, node } = begun;
    await universe.run(10);
    const cookie = await cookieOf(begun);
    peer.session = (await import("tweetnacl")).default.box.keyPair();
    peer.send(peer.handshake(cookie));
    await universe.run(25);
    peer.takeHandshake(peer.of(0x1a).at(-1) as Uint8Array);
    peer.send(peer.packet(0, 0, 64, 3));
    await universe.run(25);
    expect(node.incoming.length).toBe(1);
    expect(node.incoming[0]?.lossless).toEqual([Uint8Array.of(64, 3)]);
  });
});

describe("trap 3, refused sessions", () => {
  it("a handshake of the very session that is established is refused", async () => {
    const begun = await scene();
    const cookie = await cookieOf(begun);
    const handshake = begun.peer.handshake(cookie);
    begun.peer.send(handshake);
    await begun.universe.run(25);
    begun.peer.takeHandshake(begun.peer.of(0x1a)[0] as Uint8Array);
    begun.peer.send(begun.peer.packet(0, 0, 1));
    await begun.universe.run(25);
    begun.peer.send(handshake);
    await begun.universe.run(25);
    expect(begun.node.incoming.length).toBe(1);
    expect(begun.node.incoming[0]?.closed).toEqual([]);
    expect(dropped(begun.node, "handshake.replayed")).toBe(1);
  });

  it("a handshake under an older cookie does not end a newer session", async () => {
    const begun = await scene();
    const nacl = (await import("tweetnacl")).default;
    const older = await cookieOf(begun);
    const captured = begun.peer.handshake(older);
    await begun.universe.run(100);
    begun.peer.session = nacl.box.keyPair();
    const { universe, peer, node, recorder } = await established(begun);
    peer.send(captured);
    await universe.run(25);
    expect(recorder.closed).toEqual([]);
    expect(node.incoming.length).toBe(1);
  });

  it.each(["the same address", "another address"])(
    "a new DHT key from %s ends the session and begins another",
    async (where) => {
      const { universe, peer, node, recorder } = await established();
      const nacl = (await import("tweetnacl")).default;
      await universe.run(100);
      peer.dht = nacl.box.keyPair();
      peer.session = nacl.box.keyPair();
      const socket =
        where === "the same address" ? peer.socket : await peer.otherSocket(universe.hosts[1] as never, 5000);
      const cookie = await cookieOf({ universe, node, peer });
      peer.send(peer.handshake(cookie), socket);
      await universe.run(25);
      expect(recorder.closed).toEqual(["replaced"]);
      expect(node.incoming.length).toBe(2);
      expect(node.netCrypto.sessionCount).toBe(1);
      expect(node.netCrypto.session(publicKeyOf(peer.self.publicKey))?.dhtPublicKey).toEqual(peer.dht.publicKey);
    },
  );

  it("we say goodbye: a kill packet ends the session on the other side", async () => {
    const { universe, peer, node, recorder, session } = await established();
    session.kill();
    await universe.run(25);
    expect(recorder.closed).toEqual(["local"]);
    expect(peer.opened.at(-1)?.data).toEqual(Uint8Array.of(2));
    expect(node.host.edges.clock.pending).toBe(0);
    const again = await established({ universe, peer, node });
    again.peer.send(again.peer.packet(0, 0, 2));
    await universe.run(25);
    expect(again.recorder.closed).toEqual(["killed"]);
  });
});

describe("trap 4, no roaming", () => {
  it("data from an address that is not bound is dropped, whoever sealed it", async () => {
    const { universe, peer, node, recorder, session } = await established();
    const elsewhere = await peer.otherSocket(universe.hosts[1] as never, 4444);
    const received = session.lastReceivedAt;
    peer.send(peer.packet(0, 0, 64, 1), elsewhere);
    await universe.run(25);
    expect(recorder.lossless).toEqual([]);
    expect(session.lastReceivedAt).toBe(received);
    expect(dropped(node, "cryptoData.wrong-address")).toBe(1);
    session.addEndpoint((universe.hosts[1] as never as { endpoint(port: number): never }).endpoint(4444));
    peer.send(peer.packet(0, 0, 64, 2), elsewhere);
    await universe.run(25);
    expect(recorder.lossless).toEqual([Uint8Array.of(64, 2)]);
    expect(session.endpoint).toEqual(peer.endpoint);
  });
});

describe("trap 5, the data header", () => {
  it("a buffer_start that we never sent up to discards the whole packet", async () => {
    const { universe, peer, node, recorder } = await established();
    peer.send(peer.packet(1, 0, 64, 1));
    peer.send(peer.packet(0xffff_ffff, 0, 64, 2));
    peer.send(peer.packet(1, 0, 2));
    await universe.run(25);
    expect(recorder.lossless).toEqual([]);
    expect(recorder.closed).toEqual([]);
    expect(dropped(node, "cryptoData.out-of-window")).toBe(3);
    peer.send(peer.packet(0, 0, 64, 3));
    await universe.run(25);
    expect(recorder.lossless).toEqual([Uint8Array.of(64, 3)]);
  });

  it("a packet that an acknowledgement has overtaken is still taken", async () => {
    const { universe, peer, recorder, session } = await established();
    session.send(numbered(0), "message");
    await universe.run(15);
    peer.send(peer.packet(1, 0, 1));
    peer.send(peer.packet(0, 0, 64, 7));
    await universe.run(25);
    expect(recorder.lossless).toEqual([Uint8Array.of(64, 7)]);
  });

  it("request, kill and lossy packets carry our buffer_end, lossless ones their number", async () => {
    const { universe, peer, session } = await established();
    for (const number of [0, 1, 2]) session.send(numbered(number), "message");
    session.sendLossy(Uint8Array.of(200, 1));
    await universe.run(1500);
    session.kill();
    await universe.run(25);
    const byId = (id: number) => peer.opened.filter((packet) => packet.data[0] === id);
    expect(
      byId(64)
        .map((packet) => packet.number)
        .slice(0, 3),
    ).toEqual([0, 1, 2]);
    expect(byId(200).map((packet) => packet.number)).toEqual([3]);
    expect(byId(1).at(-1)?.number).toBe(3);
    expect(byId(2).map((packet) => packet.number)).toEqual([3]);
  });

  it.each([
    ["request", 1],
    ["lossy packet", 192],
  ])("the number in a %s extends what we miss", async (_, id) => {
    const { universe, peer } = await established();
    const before = peer.opened.length;
    peer.send(peer.packet(0, 3, id));
    await universe.run(200);
    const requests = peer.opened.slice(before).filter((packet) => packet.data[0] === 1 && packet.data.length > 1);
    expect(requests[0]?.data.slice(0, 4)).toEqual(Uint8Array.of(1, 1, 1, 1));
  });

  it("a number beyond the window of 32,768 does not", async () => {
    const { universe, peer } = await established();
    const before = peer.opened.length;
    peer.send(peer.packet(0, 32_769, 1));
    await universe.run(200);
    expect(peer.opened.slice(before).every((packet) => packet.data.length === 1)).toBe(true);
  });

  it("zeros before the id are padding, and nothing but zeros is dropped", async () => {
    const { universe, peer, node, recorder } = await established();
    peer.send(peer.packet(0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 5));
    peer.send(peer.data(join(u32(0), u32(1), new Uint8Array(1300), [64, 6])));
    peer.send(peer.packet(0, 2, 0, 0, 0, 0));
    await universe.run(25);
    expect(recorder.lossless).toEqual([Uint8Array.of(64, 5), Uint8Array.of(64, 6)]);
    expect(dropped(node, "cryptoData.malformed")).toBe(1);
  });

  it("our packets are padded to steps of 8", async () => {
    const { universe, peer, session } = await established();
    for (let size = 5; size < 14; size++) session.send(numbered(size, size), "message");
    await universe.run(25);
    const lengths = new Set(peer.of(0x1b).map((packet) => packet.length % 8));
    expect(lengths).toEqual(new Set([0]));
  });

  it("ids that nobody has are passed over, and 255 is none", async () => {
    const { universe, peer, node, recorder } = await established();
    for (const id of [3, 15, 255]) peer.send(peer.packet(0, 0, id, 1));
    await universe.run(25);
    expect([recorder.lossless, recorder.lossy, recorder.closed]).toEqual([[], [], []]);
    expect(dropped(node, "cryptoData.unknown-id")).toBe(3);
    for (const [number, id] of [16, 191].entries()) peer.send(peer.packet(0, number, id, 1));
    for (const id of [192, 254]) peer.send(peer.packet(0, 2, id, 1));
    await universe.run(25);
    expect(recorder.lossless.map((packet) => packet[0])).toEqual([16, 191]);
    expect(recorder.lossy.map((packet) => packet[0])).toEqual([192, 254]);
  });
});

describe("trap 6, request packets", () => {
  async function fivePacketsOut() {
    const begun = await established();
    const acknowledged: number[] = [];
    for (const number of [0, 1, 2, 3, 4]) {
      begun.session.send(numbered(number), "message", () => acknowledged.push(number));
    }
    await begun.universe.run(200); // beyond the first probe
    const sent = () => begun.peer.opened.filter((packet) => packet.data[0] === 64).map((packet) => packet.number);
    const alreadySent = sent().length;
    const resent = () => sent().slice(alreadySent);
    return { ...begun, acknowledged, resent };
  }

  it("count from 1 on buffer_start, and what stands before the last listed number has arrived", async () => {
    const { universe, peer, resent, acknowledged } = await fivePacketsOut();
    peer.send(peer.packet(0, 0, 1, 2, 2)); // 0 has arrived, 1 is missing, 2 has arrived, 3 is missing
    await universe.run(21);
    expect(resent()).toEqual([1, 3]);
    peer.send(peer.packet(0, 0, 1, 1, 2)); // 0 and 2 can no longer be had
    await universe.run(30);
    expect(resent()).not.toContain(0);
    expect(resent()).not.toContain(2);
    expect(acknowledged).toEqual([]);
  });

  it("alone say nothing: packets are acknowledged by buffer_start only, all below it", async () => {
    const { universe, peer, session, acknowledged } = await fivePacketsOut();
    peer.send(peer.packet(0, 0, 1));
    await universe.run(25);
    expect([acknowledged, session.sendQueueLength]).toEqual([[], 5]);
    peer.send(peer.packet(3, 0, 1));
    await universe.run(25);
    expect([acknowledged, session.sendQueueLength]).toEqual([[0, 1, 2], 2]);
    peer.send(peer.packet(5, 0, 1));
    await universe.run(25);
    expect(acknowledged).toEqual([0, 1, 2, 3, 4]);
  });

  it("of ours list from 1 on our buffer_start, with 0 for 255 that have come", async () => {
    const { universe, peer, recorder } = await established();
    for (let number = 1; number <= 300; number++) if (number !== 258) peer.send(peer.packet(0, number, 64));
    await universe.run(200);
    const request = peer.opened.filter((packet) => packet.data[0] === 1).at(-1);
    // 0 is missing, then 255 are here, then 256 and 257 are, then 258 is missing.
    expect([...(request?.data.slice(0, 4) ?? [])]).toEqual([1, 1, 0, 3]);
    expect(request?.bufferStart).toBe(0);
    peer.send(peer.packet(0, 258, 64));
    peer.send(peer.packet(0, 0, 64));
    await universe.run(25);
    expect(recorder.lossless.length).toBe(301);
    expect(peer.opened.at(-1)?.bufferStart).toBe(301);
  });

  it("list nothing behind what was surely sent but one number, which is how the rest shows as arrived", async () => {
    const { universe, peer } = await established();
    peer.send(peer.packet(0, 1, 64));
    peer.send(peer.packet(0, 2, 64));
    await universe.run(200);
    const request = peer.opened.filter((packet) => packet.data[0] === 1).at(-1);
    expect([...(request?.data ?? [])]).toEqual([1, 1, 3]);
  });
});
