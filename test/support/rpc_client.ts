import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

/** The program, as it is in the sources. */
export const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** JSON of any shape: what the program writes is checked by what the tests expect of it. */
type Json = ReturnType<typeof JSON.parse>;

/** `toxcore-ts rpc` as a bot in any language would use it. */
export interface RpcClient extends AsyncDisposable {
  /** Rejects with the `error` of the answer. */
  call(method: string, params?: object): Promise<Json>;
  /** Takes the oldest notification that matches, waiting for it. */
  notified(method: string, matches?: (params: Json) => boolean): Promise<Json>;
  endInput(): void;
  /** The process stands still until it is resumed. */
  suspend(): void;
  resume(): void;
  /** The exit code. */
  readonly exited: Promise<number>;
}

type RpcProcess = ChildProcessByStdio<Writable, Readable, Readable | null>;

export function startRpc(...args: string[]): RpcClient {
  return startRpcWith((command, all) => spawn(command, all, { stdio: ["pipe", "pipe", "inherit"] }), ...args);
}

/** `start` starts the process, wherever that is to be. */
export function startRpcWith(start: (command: string, args: string[]) => RpcProcess, ...args: string[]): RpcClient {
  return rpcClient(start(process.execPath, [MAIN, "rpc", "--port", "0", "--no-ipv6", ...args]));
}

/** Speaks with a process that is `toxcore-ts rpc`, whatever its flags. */
export function rpcClient(child: RpcProcess): RpcClient {
  const answers = new Map<number, (message: Json) => void>();
  const seen: { method: string; params: Json }[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const message = JSON.parse(line);
    if ("id" in message) answers.get(message.id)?.(message);
    else seen.push(message);
    for (const look of [...waiting]) look();
  });
  let lastId = 0;
  const exited = once(child, "exit").then(([code]) => code as number);
  return {
    exited,
    endInput: () => child.stdin.end(),
    suspend: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    call: async (method, params = {}) => {
      const id = ++lastId;
      const answer = new Promise<Json>((resolve) => answers.set(id, resolve));
      child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
      const { result, error } = await answer;
      if (error !== undefined) throw error;
      return result;
    },
    notified: (method, matches = () => true) =>
      new Promise((resolve) => {
        const look = () => {
          const at = seen.findIndex((message) => message.method === method && matches(message.params));
          if (at < 0) return;
          waiting.delete(look);
          resolve(seen.splice(at, 1)[0]?.params);
        };
        waiting.add(look);
        look();
      }),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGCONT"); // in case it stands still
      child.stdin.end();
      await exited;
    },
  };
}
