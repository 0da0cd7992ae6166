/** Writes to a store as fast as it can, until it is killed. Before and behind each thing that it does it says so. */
import { writeSync } from "node:fs";
import { fileStore } from "../../src/node/index.ts";
import { decodeEntry, decodeRecord, encodeEntry, encodeRecord } from "./entries.ts";

/** Entries that are kept when the journal is rewritten. */
const KEPT = 60;

const [path = "", password = ""] = process.argv.slice(2);
const say = (...words: (string | number)[]) => writeSync(1, `${words.join(" ")}\n`);

const store = fileStore(path, password === "" ? {} : { password });
const entries = (await store.readJournal()).map(decodeEntry);
say("ready");
await Promise.all([appendAll(), ...["profile", "nodes", "marks"].map(writeRecords)]);

async function appendAll(): Promise<void> {
  let next = (entries.at(-1)?.number ?? 0) + 1;
  for (let turn = 0; ; turn++) {
    const count = 1 + ((next * 7) % 12);
    const first = next;
    const appended = Array.from({ length: count }, () => {
      const entry = { number: next++, first, count };
      entries.push(entry);
      return store.append(encodeEntry(entry));
    });
    const last = next - 1;
    const done = Promise.all(appended).then(() => say("appended", last));
    if (turn % 3 !== 0) await done;
    if (turn % 10 !== 0) continue;
    entries.splice(0, entries.length - KEPT);
    const floor = entries[0]?.number ?? 0;
    say("rewriting", floor);
    const rewritten = store.rewriteJournal(entries.map(encodeEntry)).then(() => say("rewritten", floor));
    if (turn % 20 === 0) await rewritten;
  }
}

async function writeRecords(name: string): Promise<void> {
  const found = await store.read(name);
  for (let version = found === undefined ? 1 : decodeRecord(found) + 1; ; version++) {
    say("writing", name, version);
    await store.write(name, encodeRecord(version));
    say("written", name, version);
  }
}
