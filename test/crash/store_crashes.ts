import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { fileStore } from "../../src/node/index.ts";
import type { SeededRandom } from "../../src/testing/index.ts";
import { decodeEntry, decodeRecord } from "./entries.ts";
import { Victim } from "./victim.ts";

const WRITER = fileURLToPath(new URL("store_writer.ts", import.meta.url));
const RECORDS = ["profile", "nodes", "marks"];

/** What the writers have said so far. */
interface Heard {
  appended: number;
  /** What the journal may begin with. */
  floors: Set<number>;
  readonly writing: Map<string, number>;
  readonly written: Map<string, number>;
}

/** Kills a process that does nothing but write, so many times, and looks each time at what it has left. Answers a summary. */
export async function crashStore(
  path: string,
  random: SeededRandom,
  kills: number,
  password?: string,
): Promise<string> {
  const heard: Heard = { appended: 0, floors: new Set([1]), writing: new Map(), written: new Map() };
  let early = 0;
  for (let kill = 0; kill < kills; kill++) {
    const writer = new Victim(WRITER, [path, password ?? ""], (words) => listen(heard, words));
    if (kill === 0) {
      // A first key takes longer to make than most of them live.
      await Promise.all([writer.says("appended"), writer.says("written")]);
    } else if (random.between(0, 1) < 0.2) {
      await delay(random.between(0, 150));
      early++;
    } else {
      await writer.says("ready");
      await delay(random.between(0, 60));
    }
    await writer.kill();
    await inspect(heard, path, password);
  }
  assert.ok(heard.appended > 0 && heard.written.size > 0, "nothing was ever written");
  const versions = RECORDS.map((name) => `${name} ${heard.written.get(name) ?? 0}`).join(", ");
  return `${kills} kills (${early} at the start): ${heard.appended} entries appended; versions of records: ${versions}`;
}

function listen(heard: Heard, [what, ...rest]: readonly string[]): void {
  if (what === "appended") heard.appended = Math.max(heard.appended, Number(rest[0]));
  else if (what === "rewriting") heard.floors.add(Number(rest[0]));
  else if (what === "rewritten") {
    for (const floor of heard.floors) if (floor < Number(rest[0])) heard.floors.delete(floor);
  } else if (what === "writing") heard.writing.set(rest[0] ?? "", Number(rest[1]));
  else if (what === "written") heard.written.set(rest[0] ?? "", Number(rest[1]));
}

async function inspect(heard: Heard, path: string, password: string | undefined): Promise<void> {
  const store = fileStore(path, password === undefined ? {} : { password });
  const entries = (await store.readJournal()).map(decodeEntry);
  const first = entries[0]?.number ?? 1;
  assert.ok(heard.floors.has(first), `the journal begins with ${first} instead of one of ${[...heard.floors]}`);
  for (const [i, { number }] of entries.entries()) assert.equal(number, first + i, "the order of the entries");
  const last = entries.at(-1);
  assert.ok(
    (last?.number ?? 0) >= heard.appended,
    `${heard.appended} was answered for, and ${last?.number} is the last`,
  );
  if (last) assert.equal(last.number, last.first + last.count - 1, "a turn's entries are all there, or none");
  for (const name of RECORDS) {
    const bytes = await store.read(name);
    const version = bytes === undefined ? 0 : decodeRecord(bytes);
    const [low, high] = [heard.written.get(name) ?? 0, heard.writing.get(name) ?? 0];
    assert.ok(version >= low && version <= high, `${name} has version ${version}, not ${low} to ${high}`);
  }
  await store.close();
  // What was cut off is cut off: it must not come back behind what is written now.
  heard.appended = last?.number ?? 0;
}
