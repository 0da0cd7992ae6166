import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Friend } from "../../../src/index.ts";
import { startRpcWith } from "../../support/rpc_client.ts";
import { crawl } from "../crawler.ts";
import { spawnTied } from "../process.ts";
import { type ConnectionState, describeInterop, ToxcorePeer } from "../toxcore.ts";
import { type Ours, startOurs, untilOnline } from "../two_sides.ts";

/** Of each kind: what two cores bear beside the other tests. */
const SIDE = 10;
/** As many as toxcore's scenario has. */
const ASKERS = 33;
const WAVE = 6;
/** For many at once on a machine that may be busy. */
const MANY_PATIENCE_MS = 240_000;

describeInterop("a network of ten nodes of theirs and ten of ours", () => {
  const theirs: ToxcorePeer[] = [];
  const ours: Ours[] = [];
  const started = new AsyncDisposableStack();

  /** A line: each knows the one before it, and nobody else. */
  beforeAll(async () => {
    for (const peer of await startAll(SIDE, (i) => ToxcorePeer.start({ label: `theirs ${i}` }))) {
      const before = theirs.at(-1);
      theirs.push(started.use(peer));
      if (before !== undefined) await peer.bootstrap(before.dhtNode);
    }
    for (const one of await startAll(SIDE, () => startOurs())) {
      await one.tox.bootstrap((ours.at(-1)?.node ?? theirs.at(-1)?.dhtNode) as Ours["node"]);
      ours.push(started.use(one));
    }
  });
  afterAll(() => started.disposeAsync());

  const keysOfTheirs = () => new Set(theirs.map(({ dhtId }) => dhtId));
  const keysOfOurs = () => new Set(ours.map(({ tox }) => tox.dhtPublicKey));
  const allKeys = () => new Set([...keysOfTheirs(), ...keysOfOurs()]);
  const allAddresses = () =>
    new Set([...theirs.map(({ dhtNode }) => dhtNode), ...ours.map(({ node }) => node)].map(({ port }) => port));

  describe("dht_nodes", () => {
    it("are all found from one of ours, asking nobody else", async () => {
      const keys = keysOfOurs();
      const [start] = ours;
      const found = await crawl({
        start: (start as Ours).node,
        wanted: allKeys(),
        mayAsk: (key) => keys.has(key),
        timeoutMs: MANY_PATIENCE_MS,
      });
      expect(new Set([...found.values()].map(({ port }) => port))).toEqual(allAddresses());
    });

    it("are all found from one of theirs, asking nobody else", async () => {
      const keys = keysOfTheirs();
      const [start] = theirs;
      const found = await crawl({
        start: (start as ToxcorePeer).dhtNode,
        wanted: allKeys(),
        mayAsk: (key) => keys.has(key),
        timeoutMs: MANY_PATIENCE_MS,
      });
      expect(new Set([...found.values()].map(({ port }) => port))).toEqual(allAddresses());
    });
  });

  describe("tox_many", () => {
    it("becomes friends across, each with one whom it asks and one who asks it", async () => {
      await Promise.all(
        theirs.map(async (peer, i) => {
          const asks = ours[i] as Ours;
          const asked = ours[(i + 1) % SIDE] as Ours;
          await Promise.all([friendship(peer, asks, "theirs asks"), friendship(peer, asked, "ours asks")]);
        }),
      );
      for (const { tox } of ours) expect(tox.friends.map(({ connection }) => connection)).toEqual(["udp", "udp"]);
    });

    it("talks, each with each of its friends", async () => {
      await Promise.all(
        theirs.flatMap((peer, i) =>
          [ours[i] as Ours, ours[(i + 1) % SIDE] as Ours].map(async ({ tox, heard }) => {
            const friend = tox.friend(peer.publicKey);
            const message = friend?.send(`to ${peer.publicKey}`);
            await peer.waitFor("message", { friend: tox.publicKey, text: `to ${peer.publicKey}` }, MANY_PATIENCE_MS);
            expect(await message?.delivered).toBe("delivered");
            const messageId = await peer.send(tox.publicKey, `to ${tox.publicKey}`);
            await heard.waitFor("message", (it) => it.friend === friend && it.text === `to ${tox.publicKey}`);
            await peer.waitFor("receipt", { friend: tox.publicKey, messageId }, MANY_PATIENCE_MS);
          }),
        ),
      );
    });
  });

  describe("friend_request_spam", () => {
    const askers: Ours[] = [];

    /** Those of the network, and more; not all started at the same moment: what is to come at once are their requests. */
    beforeAll(async () => {
      askers.push(...ours);
      const bootstrap = [(ours[0] as Ours).node];
      while (askers.length < ASKERS) {
        const some = Math.min(WAVE, ASKERS - askers.length);
        for (const one of await startAll(some, () => startOurs({ bootstrap }))) askers.push(started.use(one));
        await Promise.all(askers.slice(-some).map(({ heard }) => heard.waitFor("connection", isUp, MANY_PATIENCE_MS)));
      }
    });

    it(`of ${ASKERS} at once to one of ours, ${SIDE} of them of theirs, ends with all friends`, async () => {
      // In a process of its own: who shares one with the askers has to wait for them all at every turn.
      const asked = started.use(startRpcWith(spawnTied));
      const self = await asked.call("self");
      await asked.call("bootstrap", (ours[0] as Ours).node);
      const ofOurs = askers.slice(SIDE);
      const expected = new Set([
        ...theirs.map(({ publicKey }) => publicKey),
        ...ofOurs.map(({ tox }) => tox.publicKey),
      ]);
      await Promise.all([
        ...theirs.map((peer) => peer.friendAdd(self.id, "Let me in")),
        ...ofOurs.map(({ tox }) => tox.addFriend(self.id, "Let me in")),
      ]);
      const seen = new Set<string>();
      while (seen.size < expected.size) {
        const { publicKey } = await asked.notified("friendRequest", (request) => !seen.has(request.publicKey));
        seen.add(publicKey);
        await asked.call("acceptFriend", { publicKey });
      }
      expect(seen).toEqual(expected);
      const isAsked = ({ friend, state }: { friend: Friend; state: ConnectionState }) =>
        friend.publicKey === self.publicKey && isUp({ state });
      await Promise.all([
        ...theirs.map((peer) =>
          peer.waitFor("friendConnection", { friend: self.publicKey, state: "udp" }, MANY_PATIENCE_MS),
        ),
        ...ofOurs.map(({ heard }) => heard.waitFor("friendConnection", isAsked, MANY_PATIENCE_MS)),
      ]);
    });

    it(`of ${ASKERS} of ours at once to one of theirs ends with all friends`, async () => {
      const asked = started.use(await ToxcorePeer.start({ label: "asked" }));
      await asked.bootstrap((ours[0] as Ours).node);
      await asked.waitFor("selfConnection", isUp, MANY_PATIENCE_MS);
      await Promise.all(askers.map(({ tox }) => tox.addFriend(asked.address, `Let me in, says ${tox.publicKey}`)));
      const seen = new Set<string>();
      while (seen.size < ASKERS) {
        const { publicKey, message } = await asked.waitFor("friendRequest", undefined, MANY_PATIENCE_MS);
        expect(message).toBe(`Let me in, says ${publicKey}`);
        // toxcore remembers the last 32 who asked: the first may be shown again.
        if (!seen.has(publicKey)) await asked.friendAddNorequest(publicKey);
        seen.add(publicKey);
      }
      expect(seen).toEqual(new Set(askers.map(({ tox }) => tox.publicKey)));
      await Promise.all(askers.map((asker) => untilOnline(asker, asked, MANY_PATIENCE_MS)));
    });
  });
});

function isUp({ state }: { readonly state: ConnectionState }): boolean {
  return state !== "none";
}

async function friendship(peer: ToxcorePeer, { tox, heard }: Ours, who: "theirs asks" | "ours asks"): Promise<void> {
  if (who === "theirs asks") {
    await peer.friendAdd(tox.id, "Hi from theirs");
    const request = await heard.waitFor("friendRequest", (it) => it.publicKey === peer.publicKey, MANY_PATIENCE_MS);
    request.accept();
  } else {
    await tox.addFriend(peer.address, "Hi from ours");
    await peer.waitFor("friendRequest", { publicKey: tox.publicKey }, MANY_PATIENCE_MS);
    await peer.friendAddNorequest(tox.publicKey);
  }
  await untilOnline({ tox, heard }, peer, MANY_PATIENCE_MS);
}

function startAll<T>(count: number, start: (i: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => start(i)));
}
