import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";

/** How a child process ended, as the messages of errors say it. */
export function exitText(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}

/**
 * Starts a program that the kernel kills when this process dies, so that a killed test run leaves nothing behind.
 * `netns` names the network namespace to run it in (needs root).
 */
export function spawnTied(command: string, args: string[], netns?: string): ChildProcessWithoutNullStreams {
  const inside = netns === undefined ? [] : ["ip", "netns", "exec", netns];
  const [program = command, ...rest] = tied([...inside, command, ...args]);
  const child = spawn(program, rest, { stdio: "pipe" });
  // A pipe that closes before a write is no crash of ours: the exit event tells what happened.
  child.stdin.on("error", () => {});
  return child;
}

/** The command line, so that the kernel kills what it starts when this process dies; where `setpriv` can say so. */
export function tied(line: readonly string[]): string[] {
  return hasSetpriv() ? ["setpriv", "--pdeathsig", "KILL", ...line] : [...line];
}

/** Resolves when the child has exited and its output is read; rejects when it could not be started. */
export function ended(child: ChildProcessWithoutNullStreams): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(exitText(code, signal)));
  });
}

/** The last `limit` characters of a stream, for error messages. */
export class Tail {
  #text = "";

  constructor(stream: NodeJS.ReadableStream, limit = 4000) {
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => {
      this.#text = (this.#text + chunk).slice(-limit);
    });
  }

  get text(): string {
    return this.#text.trimEnd();
  }
}

let setpriv: boolean | undefined;

function hasSetpriv(): boolean {
  setpriv ??= spawnSync("setpriv", ["--pdeathsig", "KILL", "true"]).status === 0;
  return setpriv;
}
