import { describe, expect, it } from "vitest";
import { type BootstrapNode, ToxNode, type ToxNodeOptions } from "../../src/core.ts";
import type { DatagramSocket } from "../../src/env/datagram.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import type { SimHost } from "../../src/testing/index.ts";
import { makeEndpoint } from "../../src/util/endpoint.ts";
import { Story } from "../support/people.ts";

const SECRET = "0123456789ABCDEF".repeat(4);

async function startNode(story: Story, name: string, options: ToxNodeOptions = {}) {
  const host = story.universe.host(name);
  const node = await story.universe.wait(ToxNode.create({ ...host.edges, crypto: sodiumProvider }, options));
  const at: BootstrapNode = { host: name, port: node.udpPort, publicKey: node.publicKey };
  return { host, node, at };
}

/** What comes back to a datagram of a stranger, within a second. */
async function answersTo(story: Story, socket: DatagramSocket, to: SimHost, port: number, packet: Uint8Array) {
  const answers: Uint8Array[] = []; // bounded by the test
  socket.onDatagram = (bytes) => answers.push(Uint8Array.from(bytes));
  const address = to.addressOf(4);
  if (address === undefined) throw new Error("the host has no address");
  const buffer = socket.acquire();
  buffer.set(packet);
  socket.send(buffer, packet.length, makeEndpoint(address, port));
  await story.pass(1_000);
  return answers;
}

describe("a node for everybody", () => {
  it("has toxcore's port and a lasting key", async () => {
    await using story = new Story();
    const { node } = await startNode(story, "one", { secretKey: SECRET });
    const { node: again } = await startNode(story, "two", { secretKey: SECRET.toLowerCase(), port: 0 });
    expect([node.udpPort, again.publicKey]).toEqual([33445, node.publicKey]);
    await Promise.all([node.close(), again.close()]);
  });

  it("relays at the address that it was told to bind to, and at no other", async () => {
    await using story = new Story();
    const host = story.universe.host("one");
    const asked: string[] = [];
    const streams: typeof host.edges.streams = Object.assign(Object.create(host.edges.streams), {
      listen: (options: { family: number; address?: string }) => {
        asked.push(`${options.family} ${options.address}`);
        return host.edges.streams.listen(options as never);
      },
    });
    const env = { ...host.edges, streams, crypto: sodiumProvider };
    const node = await story.universe.wait(
      ToxNode.create(env, { bindIpv4: host.address, ipv6: false, relayPorts: [443] }),
    );
    expect(asked).toEqual([`4 ${host.address}`]);
    await node.close();
  });

  it("asks the router for all its ports when told to, and gives them back", async () => {
    await using story = new Story();
    const asked: string[] = [];
    const portMapper = {
      open: () => ({
        map: (protocol: string, port: number) => void asked.push(`${protocol} ${port}`),
        close: async () => void asked.push("close"),
      }),
    };
    const without = { ...story.universe.host("one").edges, crypto: sodiumProvider };
    const env = { ...without, portMapper };
    const quiet = await story.universe.wait(ToxNode.create(env));
    await quiet.close();
    expect(asked).toEqual([]);
    const node = await story.universe.wait(ToxNode.create(env, { portMapping: true, relayPorts: [443, 3389] }));
    await node.close();
    expect(asked).toEqual(["udp 33445", "tcp 443", "tcp 3389", "close"]);
    const refused = ToxNode.create(without, { portMapping: true });
    await expect(refused).rejects.toMatchObject({ code: "invalid-argument" });
  });

  it("lets two people find each other who know only it", async () => {
    await using story = new Story();
    const { node, at } = await startNode(story, "node");
    const alice = await story.person("Alice", { bootstrap: [at] });
    const bob = await story.person("Bob", { bootstrap: [at] });
    await story.befriend(alice, bob);
    expect(node.stats.nodes).toBe(2);
    expect(node.stats.announcements).toBeGreaterThan(0);
    await node.close();
  });

  it("finds the network through another node, and brings its own guests together with that one's", async () => {
    await using story = new Story();
    const first = await startNode(story, "first");
    const second = await startNode(story, "second", { bootstrap: [first.at] });
    const alice = await story.person("Alice", { bootstrap: [first.at] });
    const bob = await story.person("Bob", { bootstrap: [second.at] });
    await story.befriend(alice, bob);
    expect(second.node.nodeCount).toBeGreaterThan(1);
    await Promise.all([first.node.close(), second.node.close()]);
  });

  it("tells its message of the day to whoever asks rightly, until it has none", async () => {
    await using story = new Story();
    const { node, host } = await startNode(story, "node", { motd: "hello", version: 7 });
    const stranger = await story.universe.host("stranger").edges.datagrams.bind({ family: 4, port: 0 });
    const ask = (size: number) => {
      const request = new Uint8Array(size);
      request[0] = 0xf0;
      return answersTo(story, stranger, host, node.udpPort, request);
    };
    expect(await ask(78)).toEqual([Uint8Array.of(0xf0, 0, 0, 0, 7, ...new TextEncoder().encode("hello\0"))]);
    expect(await ask(77)).toEqual([]);
    node.setMotd(undefined);
    expect(await ask(78)).toEqual([]);
    await node.close();
  });

  it("says what is wrong with a node to start from, and goes on", async () => {
    await using story = new Story();
    const { node } = await startNode(story, "node", { bootstrap: [{ host: "nowhere", port: 1, publicKey: "AB" }] });
    const refused = async (known: BootstrapNode) =>
      story.universe.wait(
        node.bootstrap(known).then(
          () => "no error",
          ({ code }) => code,
        ),
      );
    const publicKey = `${"AB".repeat(31)}0B`;
    expect(await refused({ host: "node", port: 1, publicKey: "AB" })).toBe("invalid-argument");
    expect(await refused({ host: "node", port: 1, publicKey: "00".repeat(32) })).toBe("weak-key");
    expect(await refused({ host: "nowhere", port: 1, publicKey })).toBe("host-not-found");
    await node.close();
  });

  it("is silent once it is closed, and throws then", async () => {
    await using story = new Story();
    const { node, at } = await startNode(story, "node");
    await story.person("Alice", { bootstrap: [at] });
    await story.pass(5_000);
    await Promise.all([node.close(), node.close()]);
    expect(() => node.setMotd("late")).toThrow("closed");
    await expect(node.bootstrap(at)).rejects.toMatchObject({ code: "closed" });
  });
});
