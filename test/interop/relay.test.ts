import { expect, it } from "vitest";
import { ToxNode } from "../../src/core.ts";
import { loadCryptoProvider, nodeEdges } from "../../src/node/index.ts";
import { startBootstrapd } from "./bootstrapd.ts";
import { describeInterop, ToxcorePeer } from "./toxcore.ts";
import { type Ours, startOurs, TOXCORE_PATIENCE_MS, untilOnline } from "./two_sides.ts";

interface RelayNode extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly publicKey: string;
}

/** Two nodes of ours that relay over TCP on the port they have for UDP, and know each other. */
async function startOurRelays(): Promise<readonly [RelayNode, RelayNode]> {
  const start = async (bootstrap: readonly RelayNode[], tries = 5): Promise<RelayNode> => {
    const edges = nodeEdges();
    const env = { ...edges, crypto: await loadCryptoProvider(), release: edges.close };
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const options = { port, ipv6: false, bindIpv4: "127.0.0.1", bootstrap, relayPorts: [port] };
    const node = await ToxNode.create(env, options).catch((error: unknown) => {
      if (tries === 0) throw error;
      return undefined; // another test has the port
    });
    if (node?.relayPorts.length !== 1) {
      await node?.close();
      return start(bootstrap, tries - 1);
    }
    return { host: "127.0.0.1", port, publicKey: node.publicKey, [Symbol.asyncDispose]: () => node.close() };
  };
  const first = await start([]);
  return [first, await start([first])];
}

/** Two nodes of theirs that relay over TCP on the port they have for UDP, and know each other. */
async function startTheirRelays(): Promise<readonly [RelayNode, RelayNode]> {
  const port = () => 20_000 + Math.floor(Math.random() * 12_000);
  const [firstPort, secondPort] = [port(), port()];
  const first = await startBootstrapd({ port: firstPort, relayPorts: [firstPort] });
  const second = await startBootstrapd({ port: secondPort, relayPorts: [secondPort], nodes: [first] });
  return [first, second];
}

const startOverTcp = (relays: readonly RelayNode[]): Promise<Ours> =>
  startOurs({ udp: false, bootstrap: relays.map(({ host, port, publicKey }) => ({ host, port, publicKey })) });

async function startTheirsOverTcp(relays: readonly RelayNode[]): Promise<ToxcorePeer> {
  const theirs = await ToxcorePeer.start({ udp: false });
  for (const relay of relays) {
    await theirs.bootstrap(relay);
    await theirs.addTcpRelay(relay);
  }
  return theirs;
}

const RELAYS = [
  ["tox-bootstrapd", startTheirRelays],
  ["our own node", startOurRelays],
] as const;

for (const [name, startRelays] of RELAYS) {
  describeInterop(`over the TCP relays of ${name} alone`, () => {
    it.concurrent("two of ours find each other and talk, in order, without UDP", async () => {
      const relays = await startRelays();
      await using _first = relays[0];
      await using _second = relays[1];
      await using alice = await startOverTcp(relays);
      await using bob = await startOverTcp(relays);
      const friend = await alice.tox.addFriend(bob.tox.id, "Let us talk over a relay");
      (await bob.heard.waitFor("friendRequest", undefined, TOXCORE_PATIENCE_MS)).accept();
      await bob.heard.waitFor("friendConnection", ({ state }) => state === "tcp", TOXCORE_PATIENCE_MS);
      const texts = Array.from({ length: 100 }, (_, i) => `message ${i}`);
      const sent = texts.map((text) => friend.send(text));
      expect(await Promise.all(sent.map(({ delivered }) => delivered))).toEqual(texts.map(() => "delivered"));
      expect(bob.heard.all("message").map(({ text }) => text)).toEqual(texts);
      expect([friend.connection, alice.tox.connection, alice.tox.udpPort]).toEqual(["tcp", "tcp", 0]);
    });

    it.concurrent("ours and a libtoxcore without UDP become friends at our request, and talk both ways", async () => {
      const relays = await startRelays();
      await using _first = relays[0];
      await using _second = relays[1];
      await using ours = await startOverTcp(relays);
      await using theirs = await startTheirsOverTcp(relays);
      const friend = await ours.tox.addFriend(theirs.address, "Over a relay?");
      const request = await theirs.waitFor("friendRequest", undefined, TOXCORE_PATIENCE_MS);
      await theirs.friendAddNorequest(request.publicKey);
      await untilOnline(ours, theirs);
      expect(friend.connection).toBe("tcp");
      expect(await friend.send("from ours").delivered).toBe("delivered");
      await theirs.waitFor("message", ({ text }) => text === "from ours", TOXCORE_PATIENCE_MS);
      await theirs.send(ours.tox.publicKey, "from theirs");
      await ours.heard.waitFor("message", ({ text }) => text === "from theirs", TOXCORE_PATIENCE_MS);
    });

    it.concurrent("ours and a libtoxcore without UDP become friends at their request", async () => {
      const relays = await startRelays();
      await using _first = relays[0];
      await using _second = relays[1];
      await using ours = await startOverTcp(relays);
      await using theirs = await startTheirsOverTcp(relays);
      await theirs.friendAdd(ours.tox.id, "Over a relay?");
      (await ours.heard.waitFor("friendRequest", undefined, TOXCORE_PATIENCE_MS)).accept();
      await untilOnline(ours, theirs);
      expect(ours.tox.friends[0]?.connection).toBe("tcp");
    });

    it.concurrent("two of libtoxcore without UDP become friends", async () => {
      const relays = await startRelays();
      await using _first = relays[0];
      await using _second = relays[1];
      await using alice = await startTheirsOverTcp(relays);
      await using bob = await startTheirsOverTcp(relays);
      await alice.friendAddNorequest(bob.publicKey);
      await bob.friendAddNorequest(alice.publicKey);
      const online = ({ state }: { readonly state: string }) => state === "tcp";
      await alice.waitFor("friendConnection", online, TOXCORE_PATIENCE_MS);
      await bob.waitFor("friendConnection", online, TOXCORE_PATIENCE_MS);
    });
  });
}
