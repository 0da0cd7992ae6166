import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { SqliteStore } from "../../../examples/sqlite_store.ts";
import { scratch } from "../../support/scratch.ts";

const newFolder = scratch();

describe("the store on SQLite", () => {
  it("commits what a handler writes together with what the library appends, or neither", async () => {
    const path = join(newFolder(), "app.db");
    const database = new DatabaseSync(path);
    const store = new SqliteStore(database);
    database.exec("CREATE TABLE history (text TEXT)");
    const other = new DatabaseSync(path);
    const seen = () => ["history", "tox_journal"].map((table) => other.prepare(`SELECT * FROM ${table}`).all().length);
    const insert = database.prepare("INSERT INTO history VALUES (?)");

    const written = store.commit(() => insert.run("hello"));
    const appended = store.append(Uint8Array.of(1));
    expect(seen()).toEqual([0, 0]);
    await Promise.all([written, appended]);
    expect(seen()).toEqual([1, 1]);

    const lost = [store.commit(() => insert.run("lost")), store.append(Uint8Array.of(2))];
    database.exec("ROLLBACK"); // as a killed process leaves it
    const results = await Promise.allSettled(lost);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(seen()).toEqual([1, 1]);
    await store.append(Uint8Array.of(3));
    expect(seen()).toEqual([1, 2]);
    await store.close();
    other.close();
    database.close();
  });
});
