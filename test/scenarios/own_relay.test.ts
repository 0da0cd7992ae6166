import { expect, it } from "vitest";
import type { ToxOptions } from "../../src/core.ts";
import { nodeOf, Story } from "../support/people.ts";

it("a friend who serves as a relay is reached over it when UDP stops working between the two", async () => {
  await using story = new Story();
  const [node] = await story.crowd(4);
  const options: ToxOptions = { relayPort: 3389 };
  const alice = await story.person("Alice", { ...options, bootstrap: node ? [nodeOf(node)] : [] });
  const bob = await story.person("Bob");
  const [aliceSees, bobSees] = await story.befriend(alice, bob);
  await story.pass(5000);
  expect([aliceSees.connection, bobSees.connection]).toEqual(["udp", "udp"]);
  const [a, b] = [alice.host.endpoint(33445), bob.host.endpoint(33445)];
  const is = (x: { address: Uint8Array }, y: { address: Uint8Array }) => x.address.join() === y.address.join();
  story.universe.network.addFilter((_bytes, from, to) => !((is(from, a) && is(to, b)) || (is(from, b) && is(to, a))));
  const said = bobSees.send("still there?");
  await story.hears(alice, "message", ({ text }) => text === "still there?", 120_000);
  aliceSees.send("over my own relay");
  await story.hears(bob, "message", ({ text }) => text === "over my own relay", 120_000);
  await story.universe.wait(said.delivered);
  expect([aliceSees.connection, bobSees.connection]).toEqual(["tcp", "tcp"]);
});

it("relays that cannot be used, in a list, are passed over", async () => {
  await using story = new Story();
  const key = { weak: "00".repeat(32), good: "AB".repeat(31).concat("0B") };
  const relays = [key.weak, key.good].map((publicKey) => ({ host: "203.0.113.1", port: 443, publicKey }));
  const alice = await story.person("Alice", { relays, udp: false, bootstrap: relays });
  await story.pass(5000);
  expect(alice.tox.connection).toBe("none");
});
