/** One of two who talk all the time, and who may be killed at any instant. Ends properly when its input ends. */
import { writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Tox } from "../../src/index.ts";
import { fileStore } from "../../src/node/index.ts";
import { HistoryStore } from "./history_store.ts";

interface Orders {
  readonly path: string;
  readonly password?: string;
  readonly secretKey: string;
  readonly friend: string;
  readonly node: { readonly host: string; readonly port: number; readonly publicKey: string };
  /** The first word to say; nothing new when left out. */
  readonly from?: number;
}

/** Words that wait at once, so that the one who catches up is not out of sight. */
const MOST_WAITING = 300;

const orders = JSON.parse(process.argv[2] ?? "") as Orders;
const say = (...words: (string | number)[]) => writeSync(1, `${words.join(" ")}\n`);

const files = fileStore(orders.path, orders.password === undefined ? {} : { password: orders.password });
const store = new HistoryStore(files);
const tox = await Tox.create({
  store,
  secretKey: orders.secretKey,
  nospam: 1,
  bindIpv4: "127.0.0.1",
  ipv6: false,
  port: 0,
  bootstrap: [orders.node],
});
tox.on("message", ({ text }) => {
  store.note(text).catch(fail);
  say("heard", text);
});
tox.on("friendConnection", ({ state }) => say("friend", state));
const friend = tox.friend(orders.friend) ?? (await tox.addFriendWithoutRequest(orders.friend));
say("ready");

let ending = false;
process.stdin.resume().on("end", () => {
  ending = true;
});
await talk();
await tox.close();
await files.close();

async function talk(): Promise<void> {
  for (let word = orders.from; !ending; ) {
    if (word !== undefined && friend.queued < MOST_WAITING) {
      for (let i = 0; i < 1 + (word % 5); i++) send(word++);
    } else if (friend.queued === 0) {
      say("idle");
      await delay(20);
    }
    await delay(3);
  }
}

function send(word: number): void {
  say("sending", word);
  friend.send(String(word)).stored.then(() => say("stored", word), fail);
}

function fail(error: unknown): never {
  console.error(error);
  process.exit(1);
}
