import { type FileHandle, open } from "node:fs/promises";
import { setImmediate as endOfTurn } from "node:timers/promises";
import type { Logger } from "../../env/logger.ts";
import { ToxError } from "../../util/tox_error.ts";
import { writeAll } from "./atomic_file.ts";
import { diskError } from "./disk_error.ts";
import { readLog, writeLog } from "./log_file.ts";
import { type FrameCodec, MAX_FRAME_SIZE } from "./log_format.ts";
import type { FindPlace, Place } from "./place.ts";
import { Serial } from "./serial.ts";

/** How long (ms) the system may keep to itself what was written: it survives this process at once, and a power failure then. */
const SYNC_AFTER_MS = 50;
/** Leaves room for the flags and the box. */
const MAX_ENTRY_SIZE = MAX_FRAME_SIZE - 64;

interface Batch {
  readonly entries: Uint8Array[]; // what the app appends while the disk is busy
  readonly done: Promise<void>;
}

interface OpenJournal {
  readonly path: string;
  readonly file: FileHandle;
  readonly codec: FrameCodec;
  /** Where the next entry belongs. */
  end: number;
  /** Behind the end lies what a failed write has left. */
  dirty: boolean;
}

/** One file that entries are added to, in groups. What is asked of it is done in the order of the calls. */
export class JournalFile {
  readonly #place: FindPlace;
  readonly #logger: Logger;
  readonly #queue = new Serial();
  /** Takes entries until its turn has come. */
  #batch: Batch | undefined;
  #open: OpenJournal | undefined;
  #syncTimer: NodeJS.Timeout | undefined;
  #syncing: Promise<void> = Promise.resolve();

  constructor(place: FindPlace, logger: Logger) {
    this.#place = place;
    this.#logger = logger;
  }

  /** All entries of one turn, and those that come while the disk is busy, are one write: it is there as a whole or not at all. */
  append(entry: Uint8Array): Promise<void> {
    if (entry.length > MAX_ENTRY_SIZE) {
      const advice = `Keep less in one: it has ${entry.length} bytes, and ${MAX_ENTRY_SIZE} fit.`;
      return Promise.reject(new ToxError("invalid-argument", `The entry is too long for the journal. ${advice}`));
    }
    this.#batch ??= this.#newBatch();
    this.#batch.entries.push(entry.slice());
    return this.#batch.done;
  }

  read(): Promise<Uint8Array[]> {
    return this.#queue.run(async () => {
      const place = await this.#place();
      const found = await readLog(place.paths.journal, "journal", place.vault, this.#logger);
      if (found === undefined) return [];
      found.codec.wipe();
      if (found.stale) await this.#replace(place, found.bodies);
      return [...found.bodies];
    });
  }

  /** The entries may not be changed until the promise has resolved. */
  rewrite(entries: readonly Uint8Array[]): Promise<void> {
    const all = [...entries];
    this.#batch = undefined; // what is appended from now on comes behind
    return this.#queue.run(async () => {
      await this.#replace(await this.#place(), all);
    });
  }

  /** Waits for everything, and for the disk to have it. */
  async close(): Promise<void> {
    await this.#queue.idle();
    await this.#syncNow();
    await this.#letGo();
  }

  #newBatch(): Batch {
    const entries: Uint8Array[] = [];
    const done = this.#queue.run(async () => {
      await endOfTurn();
      if (this.#batch === batch) this.#batch = undefined;
      await this.#write(entries);
    });
    const batch = { entries, done };
    return batch;
  }

  async #write(entries: readonly Uint8Array[]): Promise<void> {
    const journal = await this.#opened();
    try {
      await cutOff(journal);
      journal.dirty = true;
      let end = journal.end;
      for (const chunk of journal.codec.chunks(entries)) {
        await writeAll(journal.file, chunk, end);
        end += chunk.length;
      }
      journal.end = end;
      journal.dirty = false;
    } catch (error) {
      await cutOff(journal).catch(() => {}); // before the next write at the latest
      throw diskError(error, `write ${journal.path}`);
    }
    this.#syncTimer ??= setTimeout(() => void this.#syncNow(), SYNC_AFTER_MS);
  }

  async #opened(): Promise<OpenJournal> {
    if (this.#open) return this.#open;
    const place = await this.#place();
    const path = place.paths.journal;
    const found = await readLog(path, "journal", place.vault, this.#logger);
    if (found === undefined || found.stale) {
      found?.codec.wipe();
      return await this.#replace(place, found?.bodies ?? []);
    }
    return await this.#use(path, found.codec, found.end, true);
  }

  async #replace({ paths, vault }: Place, entries: readonly Uint8Array[]): Promise<OpenJournal> {
    const { codec, end } = await writeLog(paths.journal, "journal", vault, entries);
    await this.#letGo();
    return await this.#use(paths.journal, codec, end, false);
  }

  async #use(path: string, codec: FrameCodec, end: number, dirty: boolean): Promise<OpenJournal> {
    try {
      this.#open = { path, file: await open(path, "r+"), codec, end, dirty };
      return this.#open;
    } catch (error) {
      throw diskError(error, `write ${path}`);
    }
  }

  async #letGo(): Promise<void> {
    clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    await this.#syncing;
    const journal = this.#open;
    this.#open = undefined;
    journal?.codec.wipe();
    await journal?.file.close().catch(() => {});
  }

  #syncNow(): Promise<void> {
    clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    const journal = this.#open;
    if (journal !== undefined) {
      this.#syncing = this.#syncing
        .then(() => journal.file.datasync())
        .catch((error: unknown) => {
          this.#logger.error("the disk may lose what was written last", {
            reason: diskError(error, `write ${journal.path}`).message,
          });
        });
    }
    return this.#syncing;
  }
}

async function cutOff(journal: OpenJournal): Promise<void> {
  if (!journal.dirty) return;
  await journal.file.truncate(journal.end);
  journal.dirty = false;
}
