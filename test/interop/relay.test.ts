import { expect, it } from "vitest";
import { type Bootstrapd, startBootstrapd } from "./bootstrapd.ts";
import { describeInterop, ToxcorePeer } from "./toxcore.ts";
import { type Ours, startOurs, TOXCORE_PATIENCE_MS, untilOnline } from "./two_sides.ts";

/** Two nodes of theirs that relay over TCP on the port they have for UDP, and know each other. */
async function startRelays(): Promise<readonly [Bootstrapd, Bootstrapd]> {
  const port = () => 20_000 + Math.floor(Math.random() * 12_000);
  const [firstPort, secondPort] = [port(), port()];
  const first = await startBootstrapd({ port: firstPort, relayPorts: [firstPort] });
  const second = await startBootstrapd({ port: secondPort, relayPorts: [secondPort], nodes: [first] });
  return [first, second];
}

const startOverTcp = (relays: readonly Bootstrapd[]): Promise<Ours> =>
  startOurs({ udp: false, bootstrap: relays.map(({ host, port, publicKey }) => ({ host, port, publicKey })) });

async function startTheirsOverTcp(relays: readonly Bootstrapd[]): Promise<ToxcorePeer> {
  const theirs = await ToxcorePeer.start({ udp: false });
  for (const relay of relays) {
    await theirs.bootstrap(relay);
    await theirs.addTcpRelay(relay);
  }
  return theirs;
}

describeInterop("over the TCP relays of tox-bootstrapd alone", () => {
  it("two of ours find each other and talk, in order, without UDP", async () => {
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

  it("ours and a libtoxcore without UDP become friends at our request, and talk both ways", async () => {
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

  it("ours and a libtoxcore without UDP become friends at their request", async () => {
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
});
