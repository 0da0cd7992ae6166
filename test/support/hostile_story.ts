import { expect } from "vitest";
import type { Friend } from "../../src/core.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import { MemoryLogger, memoryStore } from "../../src/testing/index.ts";
import { fromHex, toHex } from "../../src/util/bytes.ts";
import { utf8 } from "../../src/util/text.ts";
import { encodeHello } from "../../src/wire/friend/extension.ts";
import { HELLO, HostileFriend } from "./hostile_friend.ts";
import { type Person, Story } from "./people.ts";

/** Alice, whose friends are Bob, who is honest and online, and Mallory, who keeps no rule. */
export interface World extends AsyncDisposable {
  readonly story: Story;
  readonly alice: Person;
  readonly bob: Person;
  readonly logger: MemoryLogger;
  /** How many entries Alice's store was given. */
  readonly journal: { entries: number };
  readonly mallory: HostileFriend;
  readonly bobSees: Friend;
  readonly aliceSees: { readonly bob: Friend; readonly mallory: Friend };
}

export async function meet(seed = 1): Promise<World> {
  const story = new Story({ seed, link: { latency: [5, 5] } });
  const logger = new MemoryLogger();
  const journal = { entries: 0 };
  const store = memoryStore();
  const append = store.append.bind(store);
  store.append = (entry) => {
    journal.entries++;
    return append(entry);
  };
  const alice = await story.person("Alice", { host: { logger }, store, statusMessage: "s".repeat(1000) });
  const bob = await story.person("Bob");
  const [aliceSeesBob, bobSees] = await story.befriend(alice, bob);
  const victim = {
    endpoint: alice.host.endpoint(alice.tox.udpPort),
    publicKey: keyOf(alice.tox.publicKey),
    dhtPublicKey: keyOf(alice.tox.dhtPublicKey),
  };
  const { edges } = story.universe.host("Mallory");
  const mallory = await HostileFriend.bind({ edges, provider: sodiumProvider, victim });
  const aliceSeesMallory = await alice.tox.addFriendWithoutRequest(toHex(mallory.self.publicKey));
  const aliceSees = { bob: aliceSeesBob, mallory: aliceSeesMallory };
  const dispose = () => story[Symbol.asyncDispose]();
  return { story, alice, bob, logger, journal, mallory, bobSees, aliceSees, [Symbol.asyncDispose]: dispose };
}

export const keyOf = (hex: string) => fromHex(hex) as never;

/** Mallory opens a session and says that he is there. */
export async function arrive({ story, mallory, aliceSees }: World, hello: typeof HELLO | null = HELLO): Promise<void> {
  mallory.connect();
  await story.until("a session", () => mallory.established);
  mallory.lossless(24);
  if (hello) mallory.lossless(encodeHello(hello));
  await story.until("Mallory online", () => aliceSees.mallory.connection === "udp");
  await story.pass(50);
}

/** The session lives and is in order: what Mallory says now is heard. */
export async function stillListens({ story, alice, mallory, aliceSees }: World): Promise<void> {
  mallory.lossless(64, utf8("still there?"));
  await story.hears(
    alice,
    "message",
    ({ friend, text }) => friend === aliceSees.mallory && text === "still there?",
    5000,
  );
}

/** Nothing has failed, Bob never noticed, and with an honest Mallory there is a conversation as with anybody. */
export async function allIsWell(world: World): Promise<void> {
  const { story, alice, bob, logger, mallory, bobSees, aliceSees } = world;
  expect(bob.heard.all("friendConnection").filter(({ state }) => state === "none")).toEqual([]);
  await talk(story, [bob, bobSees], [alice, aliceSees.bob]);
  mallory.close();
  const secretKey = mallory.self.secretKey;
  const honest = await story.person(`Mallory, honest, ${story.people.length}`, { secretKey });
  const honestSees = await honest.tox.addFriendWithoutRequest(alice.tox.publicKey);
  const both = () => honestSees.connection === "udp" && aliceSees.mallory.connection === "udp";
  await story.until("an honest session", both, 120_000);
  await talk(story, [honest, honestSees], [alice, aliceSees.mallory]);
  await story.pass(2000);
  expect(logger.lines.filter(({ level }) => level === "error")).toEqual([]);
  expect(alice.host.edges.clock.pending).toBeLessThan(120);
}

let said = 0;

export async function talk(story: Story, [one, oneSees]: [Person, Friend], [other, otherSees]: [Person, Friend]) {
  const [text, answer] = [`hello ${++said}`, `and to you ${said}`];
  const sent = [oneSees.send(text), otherSees.send(answer)];
  await story.hears(other, "message", (event) => event.friend === otherSees && event.text === text, 10_000);
  await story.hears(one, "message", (event) => event.friend === oneSees && event.text === answer, 10_000);
  await story.until("delivery", () => sent.every(({ state }) => state === "delivered"), 10_000);
}

export const dropsOf = ({ alice }: World, name: string): number => alice.host.edges.metrics.get(`drop.${name}`);

export const established = ({ alice }: World): number => alice.host.edges.metrics.get("netCrypto.established");

/** For an app that is stuck: what the others say is heard, and Mallory still may come in. */
export async function talkPlainly(world: World): Promise<void> {
  const { story, alice, bob, bobSees, aliceSees, mallory } = world;
  await talk(story, [bob, bobSees], [alice, aliceSees.bob]);
  await arrive(world, null);
  await stillListens({ ...world, mallory });
}
