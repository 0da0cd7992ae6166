import type { Logger } from "../../env/logger.ts";
import { concatBytes } from "../../util/bytes.ts";
import { fromUtf8, utf8 } from "../../util/text.ts";
import { readLog, writeLog } from "./log_file.ts";
import type { FindPlace } from "./place.ts";
import { SharedWrites } from "./shared_writes.ts";

/** The longest name of a record, in bytes of UTF-8. */
export const MAX_NAME_SIZE = 255;

interface Change {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * All small records in one file, which is replaced whole: few files, and their names are as secret as the rest. A record's frame is
 * 1 length of the name ‖ name ‖ bytes.
 */
export class StateFile {
  readonly #place: FindPlace;
  readonly #logger: Logger;
  readonly #writes = new SharedWrites<Change>((changes) => this.#save(changes));
  #records: ReadonlyMap<string, Uint8Array> | undefined; // the library's names

  constructor(place: FindPlace, logger: Logger) {
    this.#place = place;
    this.#logger = logger;
  }

  read(name: string): Promise<Uint8Array | undefined> {
    return this.#writes.read(async () => (await this.#loaded()).get(name)?.slice());
  }

  write(name: string, bytes: Uint8Array): Promise<void> {
    return this.#writes.add({ name, bytes: bytes.slice() });
  }

  close(): Promise<void> {
    return this.#writes.idle();
  }

  async #save(changes: readonly Change[]): Promise<void> {
    const records = new Map(await this.#loaded());
    for (const { name, bytes } of changes) records.set(name, bytes);
    await this.#store(records);
  }

  async #loaded(): Promise<ReadonlyMap<string, Uint8Array>> {
    if (this.#records) return this.#records;
    const { paths, vault } = await this.#place();
    const found = await readLog(paths.state, "state", vault, this.#logger);
    found?.codec.wipe();
    const records = new Map<string, Uint8Array>();
    for (const body of found?.bodies ?? []) {
      const nameEnd = 1 + (body[0] ?? 0);
      if (nameEnd <= body.length) records.set(fromUtf8(body.subarray(1, nameEnd)), body.slice(nameEnd));
    }
    if (found?.stale) await this.#store(records);
    this.#records = records;
    return records;
  }

  async #store(records: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const { paths, vault } = await this.#place();
    const bodies = [...records].map(([name, bytes]) => {
      const encoded = utf8(name);
      return concatBytes(Uint8Array.of(encoded.length), encoded, bytes);
    });
    const { codec } = await writeLog(paths.state, "state", vault, bodies);
    codec.wipe();
    this.#records = records;
  }
}
