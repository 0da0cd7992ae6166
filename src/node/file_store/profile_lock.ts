import { link, open, readdir, readFile, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ToxError } from "../../util/tox_error.ts";
import { diskError, errorCode } from "./disk_error.ts";
import { isRunning, lives, ownIdentity, type ProcessIdentity } from "./process_identity.ts";

/** Who loses this many races in a row meets something else than races. */
const MAX_ATTEMPTS = 1000;
/** Where there are no links a lock is empty for an instant: so long (ms) it may be. */
const WRITING_MS = 1000;

/**
 * Keeps a second one from the same profile. The files are numbered, and the highest number holds: to take over from a dead
 * one is to make the next number, which only one can. Nothing that a living one has made is ever renamed or overwritten.
 */
export class ProfileLock {
  readonly #file: string;

  private constructor(file: string) {
    this.#file = file;
  }

  /** Rejects with `profile-in-use`, or with what the disk says. `profile` is for the sentence. */
  static async acquire(prefix: string, profile: string): Promise<ProfileLock> {
    const own = await ownIdentity();
    const draft = `${prefix}.${own.pid}-${crypto.randomUUID()}.new`;
    try {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const numbers = await lockNumbers(prefix);
        const highest = numbers.at(-1) ?? 0;
        if (highest > 0 && !(await isAbandoned(`${prefix}.${highest}`, profile, own))) continue;
        const number = highest + 1;
        if (!(await create(`${prefix}.${number}`, draft, JSON.stringify(own)))) continue;
        // Somebody may have gone further while we looked, and then removes what is below him.
        const now = await lockNumbers(prefix);
        if (now.at(-1) === number) {
          for (const old of now.slice(0, -1)) await rm(`${prefix}.${old}`, { force: true });
          await removeDrafts(prefix);
          return new ProfileLock(`${prefix}.${number}`);
        }
        await rm(`${prefix}.${number}`, { force: true });
      }
    } catch (error) {
      throw diskError(error, `lock ${profile}`);
    }
    throw new ToxError("profile-in-use", `Others start with ${profile} all the time: try again later.`);
  }

  async release(): Promise<void> {
    await rm(this.#file, { force: true }).catch(() => {}); // then the next one finds it abandoned
  }
}

async function lockNumbers(prefix: string): Promise<number[]> {
  const numbers = (await endings(prefix)).filter((ending) => /^[1-9]\d{0,14}$/.test(ending)).map(Number);
  return numbers.sort((a, b) => a - b);
}

/** Those that starters left who were killed in that instant. One whose draft is taken from it starts anew. */
async function removeDrafts(prefix: string): Promise<void> {
  for (const ending of await endings(prefix)) {
    const pid = /^(\d+)-.*\.new$/.exec(ending)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) await rm(`${prefix}.${ending}`, { force: true });
  }
}

async function endings(prefix: string): Promise<string[]> {
  const start = `${basename(prefix)}.`;
  const names = await readdir(dirname(prefix));
  return names.filter((name) => name.startsWith(start)).map((name) => name.slice(start.length));
}

/** Throws `profile-in-use` when it is not; false when it is gone and everything has to be looked at again. */
async function isAbandoned(file: string, profile: string, own: ProcessIdentity): Promise<boolean> {
  const holder = await readHolder(file);
  if (holder === "gone") return false;
  if (holder === undefined) return true;
  const alive = await lives(holder, own);
  if (alive === false) return true;
  const text =
    alive === "unknown"
      ? `process ${holder.pid} on ${holder.host}, which cannot be seen from here. When it has ended, remove ${file}`
      : holder.pid === own.pid
        ? `this very process (${own.pid}): close the other store first`
        : `process ${holder.pid}: close that program first`;
  throw new ToxError("profile-in-use", `${profile} is in use by ${text}.`);
}

/** Undefined for what nobody alive can have written. */
async function readHolder(file: string): Promise<ProcessIdentity | "gone" | undefined> {
  for (let waited = 0; ; waited += 50) {
    const text = await readFile(file, "utf8").catch((error: unknown) => {
      if (errorCode(error) === "ENOENT") return undefined;
      throw error;
    });
    if (text === undefined) return "gone";
    const holder = parseHolder(text);
    if (holder !== undefined || waited >= WRITING_MS) return holder;
    await delay(50);
  }
}

function parseHolder(text: string): ProcessIdentity | undefined {
  try {
    const { pid, start, host, boot, namespace } = JSON.parse(text) as Record<string, unknown>;
    if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
    const texts = [start, host, boot, namespace];
    if (!texts.every((value) => typeof value === "string")) return undefined;
    return { pid, start: String(start), host: String(host), boot: String(boot), namespace: String(namespace) };
  } catch {
    return undefined;
  }
}

/** Makes the file, whole, unless it is there: then false. */
async function create(file: string, draft: string, text: string): Promise<boolean> {
  try {
    await write(draft, text);
    await link(draft, file);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === "EEXIST" || code === "ENOENT") return false;
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "ENOSYS" && code !== "EMLINK") throw error;
  } finally {
    await rm(draft, { force: true });
  }
  try {
    await write(file, text); // a file system without links
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

async function write(file: string, text: string): Promise<void> {
  const handle = await open(file, "wx", 0o600);
  try {
    await handle.writeFile(text);
  } finally {
    await handle.close();
  }
}
