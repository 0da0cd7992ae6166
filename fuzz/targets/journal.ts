/**
 * The store's journal after whatever happened to the disk: entries behind one another, each after its length in two bytes.
 * All of them are replayed as at a start, and each is a record on its own.
 */

import { isDeepStrictEqual } from "node:util";
import type { PublicKey } from "../../src/crypto/keys.ts";
import { silentLogger } from "../../src/env/logger.ts";
import { memoryStore } from "../../src/env/memory_store.ts";
import {
  decodeMessageRecord,
  encodeMessageRecord,
  type MessageRecord,
  type QueuedRecord,
} from "../../src/friend/journal_records.ts";
import type { MessageHistory } from "../../src/friend/journal_replay.ts";
import { MessageJournal } from "../../src/friend/message_journal.ts";
import { Timeline } from "../../src/testing/timeline.ts";
import { VirtualClock } from "../../src/testing/virtual_clock.ts";
import { concatBytes, readU16, sameBytes, toHex, writeU16 } from "../../src/util/bytes.ts";
import { broken } from "../codec.ts";
import { bytes, key, MAX_U64 } from "../samples.ts";

export async function fuzz(data: Uint8Array): Promise<void> {
  const entries = entriesOf(data);
  const records = entries.map(checkedRecord).filter((record) => record !== undefined);
  const histories = await replayed(entries);
  if (!isDeepStrictEqual(histories, await replayed(records.map(encodeMessageRecord)))) {
    broken("a journal that is written again tells another story", data);
  }
  for (const [friend, history] of histories) checkHistory(history, ofFriend(records, friend));
}

export function* corpus(): Iterable<Uint8Array> {
  const alice = key(1);
  const bob = key(2);
  const queued = (friend: PublicKey, sequence: bigint, expiresAt?: number): MessageRecord => {
    const message = { number: 7n, epoch: 1n, sequence, action: false, bytes: bytes(5), expiresAt };
    return { kind: "queued", friend, message };
  };
  yield journalOf([queued(alice, 1n)]);
  yield journalOf([queued(alice, 1n), queued(alice, 2n), { kind: "settled", friend: alice, first: 1n, last: 1n }]);
  yield journalOf([
    queued(alice, 1n, 1_800_000_000),
    { kind: "handledEarly", friend: alice, mark: { epoch: 1n, sequence: 3n } },
  ]);
  yield journalOf([queued(alice, 1n), queued(bob, MAX_U64), { kind: "removed", friend: alice }]);
  yield journalOf([
    { kind: "handled", friend: bob, mark: { epoch: 3n, sequence: 4n } },
    { kind: "place", friend: bob, mark: { epoch: MAX_U64, sequence: MAX_U64 } },
    queued(bob, 0n),
    { kind: "settled", friend: bob, first: 0n, last: MAX_U64 },
  ]);
}

function checkedRecord(entry: Uint8Array): MessageRecord | undefined {
  const before = entry.slice();
  const record = decodeMessageRecord(entry);
  if (!sameBytes(entry, before)) broken("the decoder changes its input", before, entry);
  if (record === undefined) return undefined;
  const encoded = encodeMessageRecord(record);
  if (!sameBytes(encoded, entry)) broken(`a record "${record.kind}" is encoded to other bytes`, entry, encoded);
  return record;
}

async function replayed(entries: readonly Uint8Array[]): Promise<Map<string, MessageHistory>> {
  const store = memoryStore();
  await store.rewriteJournal(entries);
  const journal = await MessageJournal.open(store, silentLogger, new VirtualClock(new Timeline(), 1_700_000_000));
  const histories = new Map<string, MessageHistory>();
  for (const entry of entries) {
    const friend = decodeMessageRecord(entry)?.friend;
    const history = friend && journal.claim(friend, () => ({ queued: [], handledEarly: [] }));
    if (friend && history) histories.set(toHex(friend), history);
  }
  return histories;
}

/** Nothing is delivered that was never queued, nor in another order. */
function checkHistory({ queued }: MessageHistory, records: readonly MessageRecord[]): void {
  const waiting: QueuedRecord[] = records.flatMap((record) => (record.kind === "queued" ? [record.message] : []));
  let from = 0;
  for (const message of queued) {
    const at = waiting.findIndex((other, index) => index >= from && isDeepStrictEqual(other, message));
    if (at < 0) broken(`message ${message.sequence} was never queued, or later`);
    from = at + 1;
  }
}

function ofFriend(records: readonly MessageRecord[], friend: string): MessageRecord[] {
  return records.filter((record) => toHex(record.friend) === friend);
}

function entriesOf(data: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = [];
  for (let at = 0; at + 2 <= data.length; ) {
    const end = at + 2 + readU16(data, at);
    entries.push(data.slice(at + 2, end));
    at = end;
  }
  return entries;
}

function journalOf(records: readonly MessageRecord[]): Uint8Array {
  const parts = records.map(encodeMessageRecord).flatMap((entry) => {
    const length = new Uint8Array(2);
    writeU16(length, 0, entry.length);
    return [length, entry];
  });
  return concatBytes(...parts);
}
