import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tox } from "../../src/core.ts";
import { fileStore } from "../../src/node/index.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import { Universe } from "../../src/testing/index.ts";
import { timed } from "./longest_turn.ts";
import type { Effort, Part, PartRow } from "./part.ts";

const COUNT = 10_000;
/** What toxcore writes for one friend. */
const FRIEND_SIZE = 2216;
const FRIENDS = 2_000;
const ROUNDS = 5;

export const store: Part = {
  name: "store",
  about: "a profile on this machine's disk; the longest turn is what the loop was kept from other work",
  async *rows(effort) {
    const folder = mkdtempSync(join(tmpdir(), "toxcore-ts-bench-"));
    try {
      for (const password of [undefined, "correct horse"]) {
        const suffix = password === undefined ? "" : ", with a password";
        const path = join(folder, `${password ?? "plain"}.tox`);
        yield await queue(path, password, effort, suffix);
        yield* await entries(path, password, effort, suffix);
        yield await profile(path, password, suffix);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

/** An app says much to a friend who is away, in one turn. */
async function queue(path: string, password: string | undefined, { share }: Effort, suffix: string): Promise<PartRow> {
  const count = Math.ceil(COUNT * share);
  const files = openStore(`${path}-queue`, password);
  await files.write("warm", new Uint8Array(1));
  const universe = new Universe({ seed: "bench" });
  const env = { ...universe.host("alice").edges, crypto: sodiumProvider };
  const tox = await Tox.create(env, { store: files });
  const friend = await tox.addFriendWithoutRequest("42".repeat(32));
  const figures = await timed(async () => {
    const messages = Array.from({ length: count }, (_, i) =>
      friend.send(`${i}: as long as people write, more or less`),
    );
    await Promise.all(messages.map(({ stored }) => stored));
  });
  await tox.close();
  await files.close();
  return { work: `${count} messages queued and safe${suffix}`, figures };
}

async function entries(
  path: string,
  password: string | undefined,
  { share }: Effort,
  suffix: string,
): Promise<PartRow[]> {
  const count = Math.ceil(COUNT * share);
  const files = openStore(path, password);
  const entry = new Uint8Array(100);
  await files.append(entry);
  global.gc?.();
  const before = process.memoryUsage();
  const append = await timed(async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const appended = [];
      for (let i = 0; i < count; i++) appended.push(files.append(entry));
      await Promise.all(appended);
    }
  });
  global.gc?.();
  const after = process.memoryUsage();
  const kept = (after.heapUsed + after.external - before.heapUsed - before.external) / 1024;
  const one = await timed(async () => {
    for (let i = 0; i < 200; i++) await files.append(entry);
  });
  let found: readonly Uint8Array[] = [];
  const read = await timed(async () => {
    found = await files.readJournal();
  });
  const rewrite = await timed(() => files.rewriteJournal(found));
  await files.close();
  return [
    {
      work: `${ROUNDS * count} entries of 100 bytes, ${count} in a turn${suffix}`,
      figures: { ...append, "KiB kept": kept },
    },
    { work: `200 entries, one after the other${suffix}`, figures: one },
    { work: `${found.length} entries read${suffix}`, figures: read },
    { work: `${found.length} entries written anew${suffix}`, figures: rewrite },
  ];
}

async function profile(path: string, password: string | undefined, suffix: string): Promise<PartRow> {
  const files = openStore(path, password);
  const bytes = new Uint8Array(FRIENDS * FRIEND_SIZE);
  await files.write("profile", bytes);
  const figures = await timed(() => files.write("profile", bytes));
  await files.close();
  return { work: `a profile with ${FRIENDS} friends written${suffix}`, figures };
}

function openStore(path: string, password: string | undefined) {
  return fileStore(path, password === undefined ? {} : { password });
}
