import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { MAIN } from "./rpc_client.ts";

/** `toxcore-ts node` as an operator runs it. */
export class NodeProgram implements AsyncDisposable {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  /** What it logged so far. */
  log = "";
  readonly #ended: Promise<unknown[]>;
  publicKey = "";
  port = 0;

  private constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, [MAIN, "node", ...args], { stdio: ["ignore", "pipe", "pipe"] });
    this.child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.log += text;
    });
    this.#ended = once(this.child, "close");
  }

  /** Resolves when it listens; rejects with its log when it ends before. */
  static async start(...args: string[]): Promise<NodeProgram> {
    const program = new NodeProgram(args);
    for await (const line of createInterface({ input: program.child.stdout })) {
      const [what, value = ""] = line.split(": ");
      if (what === "public key") program.publicKey = value;
      if (what === "UDP port") {
        program.port = Number(value);
        program.child.stdout.resume();
        return program;
      }
    }
    throw new Error(`the node ended: ${program.log}`);
  }

  reload(): void {
    this.child.kill("SIGHUP");
  }

  /** Answers the exit code. */
  async stop(): Promise<number> {
    this.child.kill("SIGTERM");
    return Number((await this.#ended)[0]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.stop();
  }
}

/** What a command that ends by itself says. */
export async function runNodeCommand(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = spawn(process.execPath, [MAIN, "node", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const [code] = await once(child, "close");
  return { code, out, err };
}
