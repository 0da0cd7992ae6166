import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Store, Tox } from "../../src/core.ts";
import { fileStore } from "../../src/node/index.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import { Universe } from "../../src/testing/index.ts";
import { timed } from "./longest_turn.ts";
import type { Part, PartRow } from "./part.ts";

const COUNTS = [10_000, 60_000];
const IN_A_TURN = 100;
const FRIEND = "42".repeat(32);

export const outbox: Part = {
  name: "outbox",
  about:
    "messages of 100 bytes to a friend who is away, on this machine's disk; six times as many should take six times as long",
  async *rows({ share }) {
    const folder = mkdtempSync(join(tmpdir(), "toxcore-ts-bench-"));
    try {
      for (const count of COUNTS) yield* waiting(join(folder, `${count}.tox`), Math.ceil(count * share));
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

async function* waiting(path: string, count: number): AsyncIterable<PartRow> {
  const universe = new Universe({ seed: "bench" });
  const env = { ...universe.host("alice").edges, crypto: sodiumProvider };
  const open = async (): Promise<{ store: Store; tox: Tox }> => {
    const store = fileStore(path);
    return { store, tox: await Tox.create(env, { store }) };
  };
  let { store, tox } = await open();
  const close = async () => {
    await tox.close();
    await store.close();
  };
  const friend = await tox.addFriendWithoutRequest(FRIEND);
  const before = bytesInUse();
  const queue = await timed(async () => {
    const text = "x".repeat(100);
    const stored: Promise<void>[] = [];
    while (friend.queued < count) {
      for (let i = 0; i < IN_A_TURN; i++) stored.push(friend.send(text).stored);
      await nextTurn();
    }
    await Promise.all(stored);
  });
  const kept = (bytesInUse() - before) / count;
  yield { work: `${count} queued and safe, ${IN_A_TURN} in a turn`, figures: { ...queue, "bytes a message": kept } };
  await close();

  const start = await timed(async () => {
    ({ store, tox } = await open());
  });
  yield { work: `a start with ${count} waiting`, figures: start };
  const ids = tox.outbox().map(({ message }) => message.id);
  const cancel = await timed(async () => {
    for (const [i, id] of ids.entries()) {
      tox.queuedMessage(id)?.cancel();
      if (i % IN_A_TURN === 0) await nextTurn();
    }
  });
  yield { work: `${count} taken back, by their ids`, figures: cancel };
  await close();
}

function bytesInUse(): number {
  global.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
