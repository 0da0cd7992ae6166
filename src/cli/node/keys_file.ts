import { randomUUID } from "node:crypto";
import { link, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { ToxError } from "../../index.ts";
import { whyUnreadable } from "../why_unreadable.ts";

export interface KeysFilePair {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

/**
 * The keys in tox-bootstrapd's file: public key 32 ‖ secret key 32. A missing file is made, whole or not at all, for its
 * owner alone. Rejects with `config-invalid`.
 */
export async function readOrMakeKeys(
  path: string,
  make: () => KeysFilePair,
  publicKeyOf: (secretKey: Uint8Array) => Uint8Array,
): Promise<KeysFilePair> {
  const fail = (why: string): never => {
    throw new ToxError("config-invalid", `The keys file ${path} ${why}.`);
  };
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) =>
    error.code === "ENOENT" ? undefined : fail(`cannot be read: ${whyUnreadable(error)}`),
  );
  if (bytes === undefined) {
    const pair = make();
    await write(path, Buffer.concat([pair.publicKey, pair.secretKey])).catch((error: Error) =>
      fail(`cannot be written: ${error.message}`),
    );
    return pair;
  }
  if (bytes.length !== 64) fail(`has ${bytes.length} bytes instead of 64: name another, or move it away`);
  const pair = { publicKey: Uint8Array.from(bytes.subarray(0, 32)), secretKey: Uint8Array.from(bytes.subarray(32)) };
  bytes.fill(0);
  if (!Buffer.from(publicKeyOf(pair.secretKey)).equals(pair.publicKey))
    fail("is damaged: its two keys do not belong together");
  return pair;
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  const draft = `${path}.${randomUUID()}.new`; // never one that a killed process has left
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
    await link(draft, path).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") throw error; // never over somebody else's keys
      await writeAtOnce(path, bytes);
    });
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
  const folder = await open(dirname(path), "r");
  await folder.sync().finally(() => folder.close());
}

/** Where the file system has no links. */
async function writeAtOnce(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
