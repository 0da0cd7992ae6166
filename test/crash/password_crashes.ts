import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Tox, ToxError } from "../../src/index.ts";
import { fileStore } from "../../src/node/index.ts";
import type { SeededRandom } from "../../src/testing/index.ts";
import { Victim } from "./victim.ts";

const CHANGER = fileURLToPath(new URL("password_changer.ts", import.meta.url));
/** None first: a store with a password takes what is not encrypted as well. */
const PASSWORDS = ["", "correct horse", "battery staple"];
const FRIEND = "42".repeat(32);

/** Kills a process that changes a profile's password, so many times; each time one password must open all of it. */
export async function crashPassword(path: string, random: SeededRandom, kills: number): Promise<string> {
  const store = fileStore(path);
  const tox = await Tox.create({ store, udp: false });
  const friend = await tox.addFriendWithoutRequest(FRIEND);
  for (let number = 0; number < 50; number++) friend.send(`message ${number}`);
  await tox.close();
  const journal = await store.readJournal();
  await store.close();

  let current = 0;
  let changes = 0;
  let within = 0;
  for (let kill = 0; kill < kills; kill++) {
    const order = PASSWORDS.map((_, i) => PASSWORDS[(current + i) % PASSWORDS.length] ?? "");
    let [begun, done] = [0, 0];
    const changer = new Victim(CHANGER, [path, ...order], ([what]) => {
      if (what === "changing") begun++;
      else done++;
    });
    await changer.says("changing");
    await delay(random.between(0, 400));
    await changer.kill();
    changes += done;
    const [opening, found] = await inspect(path);
    assert.deepEqual(found, journal, "what waits in the profile");
    const expected = [done, ...(begun > done ? [begun] : [])].map((count) => order[count % order.length]);
    assert.ok(expected.includes(opening), `${opening || "no password"} opens it, after ${done} changes of ${begun}`);
    if (begun > done && opening === expected[1]) within++;
    current = PASSWORDS.indexOf(opening);
  }
  assert.ok(changes > 0, "nothing was ever changed");
  return `${kills} kills: ${changes} changes; ${within} were made by a process that did not live to say so`;
}

/** The password that opens the profile, and its journal. */
async function inspect(path: string): Promise<[string, Uint8Array[]]> {
  for (const password of PASSWORDS) {
    const store = fileStore(path, password === "" ? {} : { password });
    try {
      await store.read("profile");
      return [password, await store.readJournal()];
    } catch (error) {
      if (!(error instanceof ToxError) || !/^password-/.test(error.code)) throw error;
    } finally {
      await store.close();
    }
  }
  throw new Error("no password opens the profile");
}
