import { expect, it } from "vitest";
import { nodeOf, type Person, Story } from "../support/people.ts";

/** What both say arrives. */
async function talk(story: Story, alice: Person, bob: Person): Promise<void> {
  const [aliceSees, bobSees] = await story.befriend(alice, bob, 180_000);
  expect([aliceSees.connection, bobSees.connection]).toEqual(["udp", "udp"]);
  aliceSees.send("from Alice");
  bobSees.send("from Bob");
  await story.hears(bob, "message", ({ text }) => text === "from Alice");
  await story.hears(alice, "message", ({ text }) => text === "from Bob");
}

it("two people behind full-cone NATs of their own talk over UDP", async () => {
  await using story = new Story();
  await story.crowd(4);
  const home = (name: string) => ({ host: { behind: story.universe.nat(name, { kind: "full-cone" }) } });
  await talk(story, await story.person("Alice", home("left")), await story.person("Bob", home("right")));
});

it("a person behind any NAT and one in the open talk over UDP", async () => {
  for (const kind of ["full-cone", "address-restricted", "port-restricted", "symmetric"] as const) {
    await using story = new Story();
    await story.crowd(4);
    const behind = story.universe.nat("home", { kind });
    await talk(story, await story.person("Alice", { host: { behind } }), await story.person("Bob"));
  }
});

it("two people behind one NAT that hairpins talk over UDP", async () => {
  await using story = new Story();
  await story.crowd(4);
  const behind = story.universe.nat("home", { kind: "full-cone", hairpin: true });
  const alice = await story.person("Alice", { host: { behind } });
  await talk(story, alice, await story.person("Bob", { host: { behind } }));
});

it("two people behind one NAT of any kind talk once one knows the other's node in their network", async () => {
  for (const kind of ["full-cone", "symmetric"] as const) {
    await using story = new Story();
    const [node] = await story.crowd(4);
    const behind = story.universe.nat("home", { kind });
    const alice = await story.person("Alice", { host: { behind } });
    const bootstrap = [nodeOf(node as Person), nodeOf(alice)];
    await talk(story, alice, await story.person("Bob", { host: { behind }, bootstrap }));
  }
});

it("a person whose router changes its address is found again", async () => {
  await using story = new Story();
  await story.crowd(4);
  const behind = story.universe.nat("home", { kind: "full-cone" });
  const alice = await story.person("Alice", { host: { behind } });
  const bob = await story.person("Bob");
  await talk(story, alice, bob);
  behind.changeAddress("203.0.113.7");
  alice.tox.friends[0]?.send("from elsewhere");
  await story.hears(bob, "message", ({ text }) => text === "from elsewhere", 180_000);
});
