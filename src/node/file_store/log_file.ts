import { constants, copyFile, type FileHandle, open } from "node:fs/promises";
import type { Logger } from "../../env/logger.ts";
import { ToxError } from "../../util/tox_error.ts";
import { notAFile, replaceFile } from "./atomic_file.ts";
import { diskError, errorCode } from "./disk_error.ts";
import {
  decodeHeader,
  encodeHeader,
  type FrameCodec,
  headerSize,
  type LogHeader,
  type LogKind,
  MAX_HEADER_SIZE,
} from "./log_format.ts";
import { scanFrames } from "./scan.ts";
import type { Vault } from "./vault.ts";

/** A sidecar file as it was found. */
export interface ReadLog {
  readonly bodies: readonly Uint8Array[];
  readonly codec: FrameCodec;
  /** Where the next frame belongs. */
  readonly end: number;
  /** It has to be written anew: it is damaged, or not encrypted as it should be. */
  readonly stale: boolean;
}

/** Reads a sidecar; undefined when there is none. What is damaged in it is kept beside it, and logged. */
export async function readLog(path: string, kind: LogKind, vault: Vault, logger: Logger): Promise<ReadLog | undefined> {
  const file = await openFile(path);
  if (file === undefined) return undefined;
  try {
    const header = await readHeader(file, path, kind);
    const { codec } = await vault.openLog(header, path);
    const { bodies, end, damaged } = await scanFrames(file, headerSize(header), codec);
    if (damaged > 0) {
      const kept = `${path}.damaged`;
      logger.error("a file of the profile is damaged: the rest of it was saved", { path, bytes: damaged, kept });
      await copyFile(path, kept);
    }
    return { bodies, codec, end, stale: damaged > 0 || vault.hasPassword !== header.wrappedKey.length > 0 };
  } catch (error) {
    throw diskError(error, `read ${path}`);
  } finally {
    await file.close();
  }
}

/** Whether the password opens it, before anything is written. Rejects with `password-missing` or `password-wrong`. */
export async function tryLog(path: string, kind: LogKind, vault: Vault): Promise<void> {
  const file = await openFile(path);
  try {
    if (file) (await vault.openLog(await readHeader(file, path, kind), path)).codec.wipe();
  } catch (error) {
    const code = error instanceof ToxError ? error.code : undefined;
    if (code !== "profile-damaged" && code !== "store-unavailable") throw diskError(error, `read ${path}`); // else when it is used
  } finally {
    await file?.close();
  }
}

/** Writes a sidecar anew, whole. Answers its codec and its length. */
export async function writeLog(
  path: string,
  kind: LogKind,
  vault: Vault,
  bodies: readonly Uint8Array[],
): Promise<{ codec: FrameCodec; end: number }> {
  const { header, codec } = await vault.newLog();
  let end = 0;
  await replaceFile(path, counted());
  return { codec, end };

  function* counted(): Iterable<Uint8Array> {
    for (const chunk of chunksOf()) {
      end += chunk.length;
      yield chunk;
    }
  }

  function* chunksOf(): Iterable<Uint8Array> {
    yield encodeHeader(kind, header);
    yield* codec.chunks(bodies);
  }
}

async function readHeader(file: FileHandle, path: string, kind: LogKind): Promise<LogHeader> {
  const head = new Uint8Array(MAX_HEADER_SIZE);
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  const header = decodeHeader(kind, head.subarray(0, bytesRead));
  if (header === "newer")
    throw new ToxError("store-unavailable", `${path} is of a newer version: update this program.`);
  if (header) return header;
  const advice = "move it away to go on without what waited in it";
  throw new ToxError("profile-damaged", `${path} is damaged at its beginning, and cannot be read: ${advice}.`);
}

async function openFile(path: string): Promise<FileHandle | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    if ((await file.stat()).isFile()) return file;
    await file.close();
    throw notAFile(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw diskError(error, `read ${path}`);
  }
}
