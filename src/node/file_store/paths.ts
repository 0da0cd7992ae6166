import { readlink, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { ToxError } from "../../util/tox_error.ts";
import { diskError, errorCode } from "./disk_error.ts";

/** As many as Linux follows. */
const MAX_LINKS = 40;

export interface StorePaths {
  readonly profile: string;
  readonly previous: string;
  readonly state: string;
  readonly journal: string;
  /** Followed by a number. */
  readonly lock: string;
}

/**
 * All files of a store, beside the profile itself: whoever comes by another link to the same profile finds the same journal
 * and the same lock. Rejects where there can be no profile.
 */
export async function storePaths(path: string): Promise<StorePaths> {
  let profile: string;
  try {
    profile = await followLinks(resolve(path));
  } catch (error) {
    throw diskError(error, `use ${path}`);
  }
  return {
    profile,
    previous: `${profile}.bak`,
    state: `${profile}-state`,
    journal: `${profile}-journal`,
    lock: `${profile}-lock`,
  };
}

async function followLinks(path: string): Promise<string> {
  let at = path;
  for (let links = 0; links <= MAX_LINKS; links++) {
    at = join(await realpath(dirname(at)), basename(at));
    const target = await readlink(at).catch((error: unknown) => {
      if (errorCode(error) === "EINVAL" || errorCode(error) === "ENOENT" || errorCode(error) === "UNKNOWN")
        return undefined;
      throw error;
    });
    if (target === undefined) {
      await expectFile(at);
      return at;
    }
    at = resolve(dirname(at), target); // there may be nothing behind it yet
  }
  throw new ToxError("store-unavailable", `${path} is a link that leads in a circle: choose another path.`);
}

/** A pipe or a device would keep us waiting, and could not be replaced. */
async function expectFile(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (found === undefined || found.isFile()) return;
  const what = found.isDirectory() ? "a folder: name a file in it" : "no file: choose another path";
  throw new ToxError("store-unavailable", `${path} is ${what}.`);
}
