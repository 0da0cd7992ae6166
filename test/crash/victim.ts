import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A process that is there to be killed. It tells what it does in lines, written at once and whole. */
export class Victim {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #waiting = new Map<string, () => void>();
  #errors = "";

  constructor(script: string, args: readonly string[], onLine: (words: readonly string[]) => void) {
    this.#child = spawn(process.execPath, ["--expose-gc", "--no-concurrent-array-buffer-sweeping", script, ...args], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error("the process has no output");
    const lines = createInterface({ input: stdout });
    this.#ended = Promise.all([once(this.#child, "exit"), once(lines, "close")]);
    lines.on("line", (line) => {
      const words = line.split(" ");
      onLine(words);
      this.#waiting.get(words[0] ?? "")?.();
    });
    stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Gives it a line to read. */
  order(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Resolves with the next line that begins with this word, or when the process has ended. */
  async says(word: string): Promise<void> {
    await Promise.race([new Promise<void>((resolve) => this.#waiting.set(word, resolve)), this.#ended]);
  }

  /** Answers when it is gone, with all that it said before taken in. Throws when it had ended by itself. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null) throw new Error(`it ended by itself: ${this.#errors}`);
    this.#child.kill("SIGKILL");
    await this.#ended;
    if (this.#errors !== "") throw new Error(`it complained: ${this.#errors}`);
  }

  /** Asks it to end properly, and waits. */
  async end(): Promise<void> {
    this.#child.stdin?.end();
    await this.#ended;
    if (this.#child.exitCode !== 0 || this.#errors !== "") throw new Error(`it did not end well: ${this.#errors}`);
  }
}
