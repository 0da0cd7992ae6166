import type { Cancel, Clock } from "../env/clock.ts";
import type { Logger } from "../env/logger.ts";
import type { Store } from "../env/store.ts";
import { Retry } from "../util/retry.ts";
import { messageOf } from "./failures.ts";
import {
  decodeFileRecords,
  encodeFileRecords,
  FILES_RECORD,
  type FileRecords,
  type ReceiveRecord,
  type SendRecord,
} from "./records.ts";

/** Changes are written together, so many ms after the first of them. */
const SAVE_AFTER = 500;

/** Transfers of earlier runs that have not come up again, and the record in which these and the living ones are kept. */
export class UnfinishedFiles {
  readonly #store: Store | undefined;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #living: () => FileRecords;
  #sends: SendRecord[] = []; // as many as are read: MAX_RECORDS
  #receives: readonly ReceiveRecord[] = []; // as many as are read: MAX_RECORDS
  readonly #retry: Retry;
  #timer: Cancel | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(store: Store | undefined, clock: Clock, logger: Logger, living: () => FileRecords) {
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
    this.#living = living;
    this.#retry = new Retry(clock, () => this.#save());
  }

  async load(): Promise<void> {
    const bytes = await this.#store?.read(FILES_RECORD);
    if (bytes === undefined) return;
    const { sends, receives } = decodeFileRecords(bytes);
    this.#sends = [...sends];
    this.#receives = [...receives];
  }

  /** What was on its way to this friend. It is the caller's from now on. */
  takeSends(friend: string): SendRecord[] {
    const taken = this.#sends.filter((record) => record.friend === friend);
    if (taken.length > 0) this.#sends = this.#sends.filter((record) => record.friend !== friend);
    return taken;
  }

  /** What we have of a file that is offered again. */
  findReceive(friend: string, fileId: string, kind: number, size: number | undefined): ReceiveRecord | undefined {
    return this.#receives.find(
      (one) => one.friend === friend && one.fileId === fileId && one.kind === kind && one.size === size,
    );
  }

  /** It is the caller's from now on. */
  take(record: ReceiveRecord): void {
    this.#receives = this.#receives.filter((one) => one !== record);
  }

  /** Answers what he has half-sent us. */
  forget(friend: string): ReceiveRecord[] {
    const forgotten = this.#receives.filter((record) => record.friend === friend);
    this.#sends = this.#sends.filter((record) => record.friend !== friend);
    this.#receives = this.#receives.filter((record) => record.friend !== friend);
    this.changed();
    return forgotten;
  }

  changed(): void {
    if (this.#store === undefined || this.#timer !== undefined) return;
    this.#timer = this.#clock.at(this.#clock.monotonic() + SAVE_AFTER, () => {
      this.#timer = undefined;
      this.#save();
    });
  }

  /** Writes what has changed, and waits until all is written. */
  async flush(): Promise<void> {
    if (this.#timer !== undefined || this.#retry.isDue) this.#save();
    this.#timer?.();
    this.#timer = undefined;
    this.#retry.stop();
    await this.#writing;
  }

  #save(): void {
    const living = this.#living();
    const bytes = encodeFileRecords({
      sends: [...this.#sends, ...living.sends],
      receives: [...this.#receives, ...living.receives],
    });
    const write = async () => {
      await this.#store?.write(FILES_RECORD, bytes);
      this.#retry.succeeded();
    };
    this.#writing = this.#writing.then(write).catch((error: unknown) => {
      this.#logger.error("the store failed", { reason: messageOf(error) });
      this.#retry.failed();
    });
  }
}
