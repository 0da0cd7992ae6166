import { describe, expect, it } from "vitest";
import { randomBelow } from "../../src/util/random_numbers.ts";
import { Story } from "../support/people.ts";

describe("strangers", () => {
  it("who are told no are not shown again and again", async () => {
    await using story = new Story();
    await story.crowd(2);
    const alice = await story.person("Alice");
    const bob = await story.person("Bob");
    await alice.tox.addFriend(bob.tox.id, "please");
    await story.hears(bob, "friendRequest");
    await story.pass(300_000);
    expect(bob.heard.all("friendRequest")).toEqual([]);
  });

  it("who send noise change nothing", async () => {
    await using story = new Story();
    const alice = await story.person("Alice");
    const bob = await story.person("Bob");
    const [aliceSees] = await story.befriend(alice, bob);
    const mallory = story.universe.host("Mallory");
    const socket = await story.universe.wait(mallory.bind({ family: 4, port: 0 }));
    for (let i = 0; i < 5000; i++) {
      const buffer = socket.acquire();
      const length = randomBelow(story.universe.random, 1500);
      story.universe.random.fill(buffer.subarray(0, length));
      socket.send(buffer, length, bob.host.endpoint(bob.tox.udpPort));
    }
    await story.pass(1000);
    expect(aliceSees.connection).toBe("udp");
    aliceSees.send("still here?");
    await story.hears(bob, "message", ({ text }) => text === "still here?");
  });
});
