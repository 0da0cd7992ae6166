import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, it } from "vitest";
import { SqliteStore } from "../../../examples/sqlite_store.ts";
import { memoryStore } from "../../../src/env/memory_store.ts";
import type { Store } from "../../../src/env/store.ts";
import { fileStore } from "../../../src/node/file_store/file_store.ts";
import { SeededRandom } from "../../../src/testing/seeded_random.ts";

/** A place that outlives the stores that are opened on it, one after the other. */
interface Place {
  open(): Store;
  remove(): void;
}

function inFolder(open: (path: string) => Store): () => Place {
  return () => {
    const folder = mkdtempSync(join(tmpdir(), "toxcore-ts-store-"));
    return { open: () => open(join(folder, "alice.tox")), remove: () => rmSync(folder, { recursive: true }) };
  };
}

const KINDS: Readonly<Record<string, () => Place>> = {
  memoryStore: () => {
    const store = memoryStore();
    return { open: () => store, remove: () => {} };
  },
  fileStore: inFolder((path) => fileStore(path)),
  "fileStore with a password": inFolder((path) => fileStore(path, { password: "correct horse" })),
  "examples/sqlite_store": () => {
    const database = new DatabaseSync(":memory:");
    return { open: () => new SqliteStore(database), remove: () => database.close() };
  },
};

const bytes = (...values: number[]) => Uint8Array.from(values);

describe.each(Object.keys(KINDS))("%s, as any store,", (kind) => {
  const places: Place[] = [];
  const newPlace = (): Place => {
    const place = (KINDS[kind] ?? expect.unreachable())();
    places.push(place);
    return place;
  };

  afterEach(() => {
    for (const place of places.splice(0)) place.remove();
  });

  it("has nothing at first", async () => {
    const store = newPlace().open();
    expect(await store.read("profile")).toBeUndefined();
    expect(await store.read("nodes")).toBeUndefined();
    expect(await store.readJournal()).toEqual([]);
    await store.close();
  });

  it.each(["profile", "known nodes/ü"])("keeps the record %s whole, as a copy, over a restart", async (name) => {
    const place = newPlace();
    const store = place.open();
    const given = bytes(1, 2, 3);
    const written = store.write(name, given);
    given.fill(9);
    await written;
    const read = await store.read(name);
    expect(read).toEqual(bytes(1, 2, 3));
    read?.fill(9);
    expect(await store.read(name)).toEqual(bytes(1, 2, 3));
    await store.write(name, bytes());
    expect(await store.read(name)).toEqual(bytes());
    await store.write(name, new Uint8Array(300_000).fill(7));
    await store.close();
    const again = place.open();
    expect(Buffer.alloc(300_000, 7).equals((await again.read(name)) ?? bytes())).toBe(true);
    await again.close();
  });

  it("keeps records apart from one another and from the journal", async () => {
    const place = newPlace();
    const store = place.open();
    const names = ["profile", "a", "b", "__proto__"];
    await Promise.all([...names.map((name, i) => store.write(name, bytes(i))), store.append(bytes(99))]);
    for (const [i, name] of names.entries()) expect(await store.read(name)).toEqual(bytes(i));
    expect(await store.read("c")).toBeUndefined();
    await store.close();
    const again = place.open();
    for (const [i, name] of names.entries()) expect(await again.read(name)).toEqual(bytes(i));
    expect(await again.readJournal()).toEqual([bytes(99)]);
    await again.close();
  });

  it("has the last of several writes at once, and what a read behind them finds is that", async () => {
    const store = newPlace().open();
    for (const name of ["profile", "nodes"]) {
      const writes = [1, 2, 3].map((value) => store.write(name, bytes(value)));
      const read = store.read(name);
      const later = store.write(name, bytes(4));
      expect(await read).toEqual(bytes(3));
      await Promise.all([...writes, later]);
      expect(await store.read(name)).toEqual(bytes(4));
    }
    await store.close();
  });

  it("keeps the journal's entries, empty and large ones too, in order and as copies", async () => {
    const place = newPlace();
    const store = place.open();
    const large = new Uint8Array(200_000).map((_, i) => i);
    const entry = bytes(1);
    const appended = [entry, bytes(), large, bytes(2)].map((one) => store.append(one));
    entry.fill(9);
    await Promise.all(appended);
    await store.append(bytes(3));
    const hex = (entries: readonly Uint8Array[]) => entries.map((one) => Buffer.from(one).toString("hex"));
    const expected = hex([bytes(1), bytes(), large, bytes(2), bytes(3)]);
    expect(hex(await store.readJournal())).toEqual(expected);
    await store.close();
    const again = place.open();
    expect(hex(await again.readJournal())).toEqual(expected);
    await again.close();
  });

  it("replaces the journal between what was appended before and what is appended behind", async () => {
    const place = newPlace();
    const store = place.open();
    const all = [
      store.append(bytes(1)),
      store.rewriteJournal([bytes(2), bytes(3)]),
      store.append(bytes(4)),
      store.append(bytes(5)),
    ];
    await Promise.all(all);
    expect(await store.readJournal()).toEqual([2, 3, 4, 5].map((value) => bytes(value)));
    await store.rewriteJournal([]);
    await store.append(bytes(6));
    await store.close();
    const again = place.open();
    await again.append(bytes(7)); // without having read
    expect(await again.readJournal()).toEqual([bytes(6), bytes(7)]);
    await again.close();
  });

  it("has at its close what was asked for before, though nobody waited", async () => {
    const place = newPlace();
    const store = place.open();
    const all = [store.write("nodes", bytes(1)), store.write("profile", bytes(2)), store.append(bytes(3))];
    await store.close();
    await Promise.all(all);
    await store.close();
    const again = place.open();
    expect([await again.read("nodes"), await again.read("profile")]).toEqual([bytes(1), bytes(2)]);
    expect(await again.readJournal()).toEqual([bytes(3)]);
    await again.close();
  });

  it("agrees with a plain list over random calls and restarts", async () => {
    const random = new SeededRandom(kind);
    const place = newPlace();
    let store = place.open();
    let journal: Uint8Array[] = [];
    for (let step = 0; step < 150; step++) {
      const entry = new Uint8Array(random.between(0, 300)).fill(step);
      const what = random.between(0, 10);
      if (what < 7) {
        journal.push(entry);
        const appended = store.append(entry);
        if (what < 3) await appended;
      } else if (what < 8) {
        journal = [entry, ...journal.slice(-5)];
        await store.rewriteJournal(journal);
      } else if (what < 9) {
        await store.close();
        store = place.open();
      } else {
        expect(await store.readJournal()).toEqual(journal);
      }
    }
    expect(await store.readJournal()).toEqual(journal);
    await store.close();
  });
});
