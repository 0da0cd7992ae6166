import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ToxNode } from "../../src/core.ts";
import { fileStore, loadCryptoProvider, nodeEdges } from "../../src/node/index.ts";
import type { SeededRandom } from "../../src/testing/index.ts";
import { HistoryStore } from "./history_store.ts";
import { Victim } from "./victim.ts";

const TALKER = fileURLToPath(new URL("talker.ts", import.meta.url));
/** How long (ms) they may take to find each other again and to say what is left. */
const PATIENCE = 120_000;

interface Side {
  readonly path: string;
  readonly secretKey: string;
  readonly publicKey: string;
  readonly stored: Set<number>;
  heard: number;
  /** The next word to say. */
  next: number;
  process: Victim | undefined;
}

/**
 * Two people talk over loopback; one or the other is killed, so many times. In the end each has in his history every word that
 * was answered for on the other side, once and in order.
 */
export async function crashConversation(
  folder: string,
  random: SeededRandom,
  kills: number,
  password?: string,
): Promise<string> {
  const crypto = await loadCryptoProvider();
  const side = (name: string): Side => {
    const secret = new Uint8Array(32);
    random.fork(name).fill(secret);
    const publicKey = new Uint8Array(32);
    crypto.publicKey(publicKey, secret);
    const [secretKey, key] = [secret, publicKey].map((bytes) => Buffer.from(bytes).toString("hex"));
    const path = join(folder, `${name}.tox`);
    return {
      path,
      secretKey: secretKey ?? "",
      publicKey: key ?? "",
      stored: new Set(),
      heard: 0,
      next: 1,
      process: undefined,
    };
  };
  const sides = [side("alice"), side("bob")] as const;
  const edges = nodeEdges();
  const node = await ToxNode.create(
    { ...edges, crypto, release: edges.close },
    { port: 0, ipv6: false, bindIpv4: "127.0.0.1" },
  );
  const start = (at: 0 | 1, talking: boolean) => {
    const [self, other] = [sides[at], sides[1 - at] as Side];
    const orders = {
      path: self.path,
      secretKey: self.secretKey,
      friend: other.publicKey,
      node: { host: "127.0.0.1", port: node.udpPort, publicKey: node.publicKey },
      ...(password !== undefined && { password }),
      ...(talking && { from: self.next }),
    };
    self.process = new Victim(TALKER, [JSON.stringify(orders)], (words) => listen(self, words));
    return self.process;
  };
  start(0, true);
  start(1, true);
  let together = 0;
  for (let kill = 0; kill < kills; kill++) {
    const at = random.between(0, 1) < 0.5 ? 0 : 1;
    // Mostly they get to talk; now and then one is killed before.
    if (random.between(0, 1) < 0.8) {
      const heard = sides[0].heard + sides[1].heard;
      for (let waited = 0; sides[0].heard + sides[1].heard < heard + 20 && waited < 5000; waited += 10) await delay(10);
      if (sides[0].heard + sides[1].heard > heard) together++;
    }
    await delay(random.between(0, 150));
    await sides[at].process?.kill();
    await start(at, true).says("ready");
  }
  for (const at of [0, 1] as const) {
    await sides[at].process?.end();
    await start(at, false).says("ready");
  }
  await allDelivered(sides);
  for (const { process } of sides) await process?.end();
  await node.close();
  await Promise.all([compare(sides[0], sides[1], password), compare(sides[1], sides[0], password)]);
  const words = sides.map(({ stored }) => stored.size);
  return `${kills} kills (${together} of them after words had come through): ${words.join(" and ")} words answered for, and heard once`;
}

function listen(side: Side, [what, word]: readonly string[]): void {
  if (what === "sending") side.next = Number(word) + 1;
  else if (what === "stored") side.stored.add(Number(word));
  else if (what === "heard") side.heard++;
}

async function allDelivered(sides: readonly Side[]): Promise<void> {
  const late = new AbortController();
  const idle = Promise.all(sides.map(({ process }) => process?.says("idle")));
  const timeout = delay(PATIENCE, undefined, { signal: late.signal }).then(() => {
    throw new Error("they did not get to say everything");
  });
  await Promise.race([idle, timeout]);
  late.abort();
  await timeout.catch(() => {});
}

async function compare(speaker: Side, listener: Side, password: string | undefined): Promise<void> {
  const files = fileStore(listener.path, password === undefined ? {} : { password });
  const store = new HistoryStore(files);
  await store.readJournal();
  const heard = store.history.map(Number);
  await files.close();
  for (const [i, word] of heard.entries()) {
    assert.ok(i === 0 || word > (heard[i - 1] ?? 0), `heard ${heard[i - 1]}, then ${word}`);
    assert.ok(word < speaker.next, `heard ${word}, which was never said`);
  }
  const all = new Set(heard);
  const lost = [...speaker.stored].filter((word) => !all.has(word));
  assert.deepEqual(lost, [], "words that were answered for and not heard");
}
