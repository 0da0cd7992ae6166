import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";
import { errorCode } from "./disk_error.ts";

/** Tells one process from all others, also from one that gets its number later. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started: the kernel's own count on Linux, seconds since 1970 elsewhere. */
  readonly start: string;
  readonly host: string;
  /** This run of the kernel; empty where it has no name. */
  readonly boot: string;
  /** What its number counts in: another container has other numbers. */
  readonly namespace: string;
}

/** How far (s) the clock may have been set while the process ran. */
const CLOCK_CHANGE = 5;

export async function ownIdentity(): Promise<ProcessIdentity> {
  const started = String(Math.round(performance.timeOrigin / 1000));
  return {
    pid: process.pid,
    start: (await startOnLinux("self")) ?? started,
    host: hostname(),
    boot: (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "")).trim(),
    namespace: await readlink("/proc/self/ns/pid").catch(() => ""),
  };
}

/** Whether that process lives: `unknown` where it cannot be seen from here. */
export async function lives(other: ProcessIdentity, own: ProcessIdentity): Promise<boolean | "unknown"> {
  if (other.boot !== own.boot) return other.host === own.host ? false : "unknown";
  if (own.boot === "") return other.host === own.host ? livesHere(other, own) : "unknown";
  if (other.namespace !== own.namespace) return "unknown";
  return (await startOnLinux(String(other.pid))) === other.start;
}

function livesHere(other: ProcessIdentity, own: ProcessIdentity): boolean {
  if (other.pid === own.pid) return Math.abs(Number(other.start) - Number(own.start)) <= CLOCK_CHANGE;
  return isRunning(other.pid);
}

/** Whether some process has this number. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
}

/** Undefined for what has ended, though its parent may not have noticed. */
async function startOnLinux(pid: string): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The name in brackets may hold anything: what counts stands behind it. The state is field 3, the start field 22.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields?.[0] === "Z" || fields?.[0] === "X" ? undefined : fields?.[19];
}
