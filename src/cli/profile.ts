import { readFile } from "node:fs/promises";
import { type Store, ToxError } from "../index.ts";
import { consoleLogger, fileStore } from "../node/index.ts";
import { askPassword } from "./ask_password.ts";
import type { SharedFlags } from "./shared_options.ts";
import { whyUnreadable } from "./why_unreadable.ts";

/** How often a person may mistype. */
const ATTEMPTS = 3;

/** The profile that the flags name, if they do; given back when the program ends. */
export class OpenProfile implements AsyncDisposable {
  readonly store: Store | undefined;

  constructor(store?: Store) {
    this.store = store;
  }

  /** For `Tox.create`. */
  get options(): { readonly store?: Store } {
    return this.store === undefined ? {} : { store: this.store };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store?.close();
  }
}

/**
 * Opens it, and asks for the password at the terminal where one is wanted, none was given and `mayAsk`. Rejects as `fileStore`
 * does, with `invalid-argument` for a password file that cannot be used, and with `aborted` when the person gives up.
 */
export async function openProfile(flags: SharedFlags, mayAsk: boolean): Promise<OpenProfile> {
  const { profile: path, passwordFile, log } = flags;
  if (path === undefined) {
    if (passwordFile === undefined) return new OpenProfile();
    throw new ToxError("invalid-argument", "--password-file goes with --profile FILE, which it opens.");
  }
  return await withPassword(path, passwordFile, mayAsk, async (password) => {
    const store = fileStore(path, { logger: consoleLogger(log), ...(password !== undefined && { password }) });
    password?.fill(0);
    try {
      await store.read("profile");
      return new OpenProfile(store);
    } catch (error) {
      await store.close();
      throw error;
    }
  });
}

/**
 * Does what needs the profile's password with that of the file, or else with what the person types, again where it is wrong.
 * `open` overwrites it.
 */
export async function withPassword<Result>(
  path: string,
  passwordFile: string | undefined,
  mayAsk: boolean,
  open: (password: Uint8Array | undefined) => Promise<Result>,
): Promise<Result> {
  let password = passwordFile === undefined ? undefined : await readPassword(passwordFile);
  for (let asked = 0; ; asked++) {
    try {
      return await open(password);
    } catch (error) {
      if (!(error instanceof ToxError)) throw error;
      if (error.code === "password-missing" && !mayAsk) {
        const message = `${path} is encrypted: give its password with --password-file FILE.`;
        throw new ToxError("password-missing", message, { cause: error });
      }
      const again = error.code === "password-missing" || (asked > 0 && error.code === "password-wrong");
      if (!again || asked >= ATTEMPTS) throw error;
    }
    password = await askPassword(asked === 0 ? `Password of ${path}: ` : "That does not open it. Once more: ");
  }
}

/** The file's bytes without the line's end. */
export async function readPassword(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new ToxError("invalid-argument", `The password file ${path} cannot be read: ${whyUnreadable(error)}.`, {
      cause: error,
    });
  });
  const end = bytes.at(-1) !== 0x0a ? bytes.length : bytes.at(-2) === 0x0d ? bytes.length - 2 : bytes.length - 1;
  const password = Uint8Array.from(bytes.subarray(0, end));
  bytes.fill(0);
  if (password.length > 0) return password;
  throw new ToxError("invalid-argument", `The password file ${path} is empty: write the password into it.`);
}
