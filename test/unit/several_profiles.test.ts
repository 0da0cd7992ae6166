import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Tox } from "../../src/index.ts";
import { fileStore } from "../../src/node/index.ts";
import { Heard } from "../support/heard.ts";
import { scratch } from "../support/scratch.ts";

const newFolder = scratch();

it("three profiles in one process, each on disk, talk with one another and come back as they were", async () => {
  const folder = newFolder();
  const names = ["work", "home", "club"] as const;
  const start = async (name: string, bootstrap: readonly { host: string; port: number; publicKey: string }[] = []) => {
    const store = fileStore(join(folder, `${name}.tox`), name === "club" ? { password: "secret" } : {});
    const tox = await Tox.create({ store, name, bootstrap, bindIpv4: "127.0.0.1", ipv6: false, port: 0 });
    const close = async () => {
      await tox.close();
      await store.close();
    };
    return { tox, heard: new Heard(tox), close, [Symbol.asyncDispose]: close };
  };
  await using work = await start("work");
  const node = { host: "127.0.0.1", port: work.tox.udpPort, publicKey: work.tox.dhtPublicKey };
  await using home = await start("home", [node]);
  const club = await start("club", [node]);
  const all = [work, home, club] as const;
  for (const one of all) {
    for (const other of all) if (one !== other) await one.tox.addFriendWithoutRequest(other.tox.publicKey);
  }
  for (const one of all) {
    for (const _ of [1, 2]) await one.heard.waitFor("friendConnection", ({ state }) => state === "udp");
  }
  for (const name of names) expect(existsSync(join(folder, `${name}.tox`))).toBe(true);

  await club.tox.block(work.tox.publicKey);
  const clubKey = club.tox.publicKey;
  await work.heard.waitFor("friendConnection", ({ friend, state }) => friend.publicKey === clubKey && state === "none");
  club.tox.friend(home.tox.publicKey)?.send("who is there?");
  await home.heard.waitFor("message", ({ text }) => text === "who is there?");
  await club.close();
  await home.heard.waitFor("friendConnection", ({ friend, state }) => friend.publicKey === clubKey && state === "none");
  const waiting = home.tox.friend(clubKey)?.send("when you are back");
  await waiting?.stored;

  await using again = await start("club", [node]);
  expect([again.tox.publicKey, again.tox.blocked]).toEqual([clubKey, [work.tox.publicKey]]);
  expect(again.tox.friends.map(({ name, blocked }) => [name, blocked])).toEqual([
    ["work", true],
    ["home", false],
  ]);
  await again.heard.waitFor("message", ({ text }) => text === "when you are back");
  expect(await waiting?.delivered).toBe("delivered");
  expect(work.tox.friend(clubKey)?.connection).toBe("none");
  const lastSeen = work.tox.friend(clubKey)?.lastOnline ?? 0;
  expect(Math.abs(Date.now() / 1000 - lastSeen)).toBeLessThan(60);
});
