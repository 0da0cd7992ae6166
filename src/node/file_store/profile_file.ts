import { ToxError } from "../../util/tox_error.ts";
import { readWhole, replaceFile } from "./atomic_file.ts";
import type { FindPlace, Place } from "./place.ts";
import { SharedWrites } from "./shared_writes.ts";

/** So much is handed to the system in one go. */
const CHUNK_SIZE = 0x10_0000;

/** The `.tox` file itself, and its previous version. */
export class ProfileFile {
  readonly #place: FindPlace;
  readonly #writes = new SharedWrites<Uint8Array>((versions) => this.#save(versions.at(-1)));
  /** The file cannot be read: it is not what the previous version shall be replaced by. */
  #damaged = false;
  /** It has been written here, so it is encrypted if it shall be. */
  #sealed = false;

  constructor(place: FindPlace) {
    this.#place = place;
  }

  read(): Promise<Uint8Array | undefined> {
    return this.#writes.read(async () => await readProfile(await this.#place()));
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#writes.add(bytes.slice());
  }

  /** Whoever asks has found the file damaged. */
  previous(): Promise<{ readonly bytes: Uint8Array; readonly place: string } | undefined> {
    return this.#writes.read(async () => {
      this.#damaged = true;
      const place = await this.#place();
      const bytes = await readPrevious(place);
      return bytes && { bytes, place: place.paths.previous };
    });
  }

  close(): Promise<void> {
    return this.#writes.idle();
  }

  async #save(bytes: Uint8Array | undefined): Promise<void> {
    if (bytes === undefined) return;
    const place = await this.#place();
    const { paths, vault } = place;
    const file = await vault.encrypt(bytes);
    const isKept = this.#damaged || (!this.#sealed && (await keepBare(place)));
    await replaceFile(paths.profile, chunksOf(file), isKept ? undefined : paths.previous);
    this.#damaged = false;
    this.#sealed = true;
  }
}

/** Rejects with `password-missing`, `password-wrong`, `profile-damaged`. */
export async function readProfile(place: Place): Promise<Uint8Array | undefined> {
  const { paths, vault } = place;
  const bytes = await readWhole(paths.profile);
  if (bytes === undefined) return undefined;
  try {
    return await vault.decrypt(bytes, paths.profile);
  } catch (error) {
    if (!(error instanceof ToxError) || error.code === "password-missing") throw error;
    // The box does not tell a wrong password from a spoilt byte. If the password opens the version before, it is the right one.
    const previous = await readPrevious(place).catch(() => undefined);
    if (previous === undefined) throw error;
    const advice = `the version before it can: put ${paths.previous} in its place`;
    throw new ToxError("profile-damaged", `${paths.profile} is damaged and cannot be read, but ${advice}.`, {
      cause: error,
    });
  }
}

/** A profile that is not encrypted, and shall be, is encrypted as the version before, too. False where it is otherwise. */
async function keepBare({ paths, vault }: Place): Promise<boolean> {
  if (!vault.hasPassword) return false;
  const bytes = await readWhole(paths.profile);
  if (bytes === undefined || !vault.isBare(bytes)) return false;
  await replaceFile(paths.previous, chunksOf(await vault.encrypt(bytes)));
  return true;
}

async function readPrevious({ paths, vault }: Place): Promise<Uint8Array | undefined> {
  const bytes = await readWhole(paths.previous);
  return bytes && (await vault.decrypt(bytes, paths.previous));
}

function* chunksOf(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK_SIZE) yield bytes.subarray(at, at + CHUNK_SIZE);
}
