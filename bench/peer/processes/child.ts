import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { tied } from "../../../test/interop/process.ts";
import type { Answer, Call, Orders } from "./orders.ts";

export interface ChildOptions {
  /** What the program is run by: `unshare --net`. */
  readonly within?: readonly string[];
  /** The only core that it may use. */
  readonly core?: number | undefined;
}

interface Pending {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A Node process of the bench, and the orders it takes: `O` is what its program passes to `serve`. It dies with us, however
 * we end.
 */
export class Child<O extends Orders> implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #name: string;
  readonly #pending = new Map<number, Pending>(); // bounded by the orders given
  readonly #exited: Promise<unknown>;
  #lastId = 0;
  #gone = false;

  /** `program`: a file beside this one. */
  constructor(program: string, { within = [], core }: ChildOptions = {}) {
    this.#name = program;
    const pinned = core === undefined || !canPin() ? [] : ["taskset", "--cpu-list", String(core)];
    const path = fileURLToPath(new URL(program, import.meta.url));
    const [command = "", ...args] = tied([...within, ...pinned, process.execPath, path]);
    this.#process = spawn(command, args, { stdio: ["ignore", "inherit", "inherit", "ipc"], serialization: "advanced" });
    this.#exited = once(this.#process, "exit").catch(() => {});
    this.#process.on("message", (answer: Answer) => this.#hear(answer));
    this.#process.on("error", () => this.#fail());
    this.#process.on("exit", () => this.#fail());
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Rejects when the order fails, or when the process ends before it is done. */
  order<K extends keyof O & string>(order: K, ...[argument]: Parameters<O[K]>): Promise<Awaited<ReturnType<O[K]>>> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (this.#gone) {
        reject(this.#goneError());
        return;
      }
      this.#pending.set(id, { resolve, reject });
      this.#process.send({ id, order, argument } satisfies Call);
    });
  }

  async close(): Promise<void> {
    if (!this.#gone) await this.order("close", ...([] as never)).catch(() => {});
    await this.#exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #hear(answer: Answer): void {
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if ("error" in answer) pending?.reject(new Error(`${this.#name}: ${answer.error}`));
    else pending?.resolve(answer.result as never);
  }

  #fail(): void {
    this.#gone = true;
    for (const { reject } of this.#pending.values()) reject(this.#goneError());
    this.#pending.clear();
  }

  #goneError(): Error {
    return new Error(`${this.#name} has ended`);
  }
}

let pinning: boolean | undefined;

/** Whether processes can be bound to a core here. */
export function canPin(): boolean {
  pinning ??= spawnSync("taskset", ["--cpu-list", "0,1", "true"]).status === 0;
  return pinning;
}

/** Binds a process that runs already, with all its threads, to one core. */
export function pin(pid: number, core: number): void {
  if (canPin()) spawnSync("taskset", ["--all-tasks", "--cpu-list", "--pid", String(core), String(pid)]);
}
