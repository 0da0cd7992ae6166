import type { DatabaseSync } from "node:sqlite";
import { type Store, ToxError } from "toxcore-ts";

/**
 * A profile in an app's own database.
 *
 *     const store = new SqliteStore(new DatabaseSync("app.db"));
 *     const tox = await Tox.create({ store });
 *     tox.on("message", ({ text }) => store.commit(() => insertIntoHistory.run(text)));
 *
 * What a handler writes by `commit` is committed together with the library's note that the message was handled: whenever the
 * program is killed, the message is in the history once.
 */
export class SqliteStore implements Store {
  readonly #database: DatabaseSync;
  readonly #append;
  /** Settles with the transaction that is open, if one is. */
  #turn: Promise<void> | undefined;
  #closed = false;

  constructor(database: DatabaseSync) {
    database.exec(`
      PRAGMA journal_mode = WAL;
      CREATE TABLE IF NOT EXISTS tox_records (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
      CREATE TABLE IF NOT EXISTS tox_journal (number INTEGER PRIMARY KEY AUTOINCREMENT, entry BLOB NOT NULL) STRICT;
    `);
    this.#database = database;
    this.#append = database.prepare("INSERT INTO tox_journal (entry) VALUES (?)");
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    this.#expectOpen();
    const row = this.#database.prepare("SELECT bytes FROM tox_records WHERE name = ?").get(name);
    return row?.bytes instanceof Uint8Array ? row.bytes : undefined;
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    await this.commit(() => {
      this.#database.prepare("INSERT OR REPLACE INTO tox_records (name, bytes) VALUES (?, ?)").run(name, bytes);
    });
  }

  async readJournal(): Promise<Uint8Array[]> {
    this.#expectOpen();
    const rows = this.#database.prepare("SELECT entry FROM tox_journal ORDER BY number").all();
    return rows.flatMap(({ entry }) => (entry instanceof Uint8Array ? [entry] : []));
  }

  async append(entry: Uint8Array): Promise<void> {
    await this.commit(() => this.#append.run(entry));
  }

  async rewriteJournal(entries: readonly Uint8Array[]): Promise<void> {
    await this.commit(() => {
      this.#database.exec("DELETE FROM tox_journal");
      for (const entry of entries) this.#append.run(entry);
    });
  }

  /** Waits for the open transaction. The database is the app's, and stays open. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#turn;
  }

  /** Runs `change` in the one transaction of this turn, at once. Resolves when that is committed. */
  commit(change: () => void): Promise<void> {
    this.#expectOpen();
    this.#turn ??= this.#begin();
    change();
    return this.#turn;
  }

  #begin(): Promise<void> {
    this.#database.exec("BEGIN IMMEDIATE");
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        this.#turn = undefined;
        try {
          this.#database.exec("COMMIT");
          resolve();
        } catch (error) {
          if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
          reject(error);
        }
      });
    });
  }

  #expectOpen(): void {
    if (this.#closed) throw new ToxError("closed", "This store is closed: create a new one.");
  }
}
