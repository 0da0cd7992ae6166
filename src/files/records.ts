/** Half-done transfers as they lie in the store, in the record `files`: JSON, checked as if a stranger had written it. */
import { fromUtf8, utf8 } from "../util/text.ts";

export const FILES_RECORD = "files";
/** Of those whose friend or offer has not come again; the oldest are forgotten. */
export const MAX_RECORDS = 4096;

interface TransferRecord {
  /** Hex, as the id. */
  readonly friend: string;
  readonly fileId: string;
  readonly kind: number;
  readonly size: number | undefined;
}

export interface SendRecord extends TransferRecord {
  readonly location: string;
  readonly version: string | undefined;
}

export interface ReceiveRecord extends TransferRecord {
  readonly location: string | undefined;
  /** Of the sink, if it knows one. */
  readonly version: string | undefined;
  /** Written so far. */
  readonly bytes: number;
}

export interface FileRecords {
  readonly sends: readonly SendRecord[];
  readonly receives: readonly ReceiveRecord[];
}

export function encodeFileRecords(records: FileRecords): Uint8Array {
  return utf8(JSON.stringify({ version: 1, ...records }));
}

/** What makes no sense is left out. */
export function decodeFileRecords(bytes: Uint8Array): FileRecords {
  const root = parsed(bytes);
  const list = <T>(value: unknown, read: (entry: Fields) => T | undefined): T[] =>
    (Array.isArray(value) ? value.slice(-MAX_RECORDS) : []).flatMap((entry: unknown) => {
      const record = isFields(entry) ? read(entry) : undefined;
      return record === undefined ? [] : [record];
    });
  return { sends: list(root.sends, readSend), receives: list(root.receives, readReceive) };
}

type Fields = Readonly<Record<string, unknown>>;

function parsed(bytes: Uint8Array): Fields {
  try {
    const value: unknown = JSON.parse(fromUtf8(bytes));
    return isFields(value) && value.version === 1 ? value : {};
  } catch {
    return {};
  }
}

function readSend(entry: Fields): SendRecord | undefined {
  const transfer = readTransfer(entry);
  const location = textOf(entry.location);
  return transfer && location !== undefined ? { ...transfer, location, version: textOf(entry.version) } : undefined;
}

function readReceive(entry: Fields): ReceiveRecord | undefined {
  const transfer = readTransfer(entry);
  const bytes = countOf(entry.bytes);
  if (transfer === undefined || bytes === undefined) return undefined;
  return { ...transfer, location: textOf(entry.location), version: textOf(entry.version), bytes };
}

function readTransfer({ friend, fileId, kind, size }: Fields): TransferRecord | undefined {
  const kindNumber = countOf(kind);
  if (!isKeyHex(friend) || !isKeyHex(fileId) || kindNumber === undefined) return undefined;
  return { friend, fileId, kind: kindNumber, size: countOf(size) };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function isKeyHex(value: unknown): value is string {
  return typeof value === "string" && /^[0-9A-F]{64}$/.test(value);
}

function countOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
