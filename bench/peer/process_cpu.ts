import { readdirSync, readFileSync } from "node:fs";

/** CPU time of a running process with all its threads, in seconds. Linux only. */
export function cpuSeconds(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [onCpu = "0"] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
    nanoseconds += Number(onCpu);
  }
  return nanoseconds / 1e9;
}
