import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from "node:readline";
import type { Readable } from "node:stream";
import type { ReadStream, WriteStream } from "node:tty";

/** A prompt at the bottom and lines that scroll above it; plain lines in and out where there is no terminal. */
export class ChatScreen {
  readonly interactive: boolean;
  readonly #input: Readable;
  readonly #output: NodeJS.WritableStream;
  readonly #readline: Interface;
  #closed = false;

  constructor(input: Readable, output: NodeJS.WritableStream) {
    this.#input = input;
    this.interactive = (input as ReadStream).isTTY === true && (output as WriteStream).isTTY === true;
    this.#output = output;
    this.#readline = createInterface({ input, output, terminal: this.interactive, historySize: 200 });
    this.#readline.once("close", () => {
      this.#closed = true;
    });
  }

  /** Shows a line above the prompt, whatever is being typed. The text must be safe: see `safeText`. */
  print(line: string): void {
    if (!this.interactive || this.#closed) {
      this.#output.write(`${line}\n`);
      return;
    }
    const rows = this.#erase();
    this.#output.write(`${line}\n`);
    this.#redraw(rows);
  }

  set prompt(prompt: string) {
    if (!this.interactive || this.#closed) return;
    const rows = this.#erase();
    this.#readline.setPrompt(prompt);
    this.#redraw(rows);
  }

  /** Hands each typed line to `onLine`; resolves at the end of the input, at ^C, or after `close`. */
  async read(onLine: (line: string) => void, signal?: AbortSignal): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#readline.once("close", resolve);
    });
    if (this.#closed) return;
    signal?.addEventListener("abort", () => this.close());
    this.#readline.on("SIGINT", () => this.close());
    this.#readline.on("SIGTSTP", () => {}); // under npx, stopping this process alone would leave a dead terminal
    this.#readline.on("line", (line) => {
      onLine(line);
      if (this.interactive && !this.#closed) this.#readline.prompt();
    });
    if (this.interactive) this.#readline.prompt();
    await ended;
  }

  close(): void {
    this.#readline.close();
    if (!this.interactive) this.#input.destroy(); // a pipe that stays open would keep the program from ending
  }

  /** Erases the prompt and what is typed, which may take several rows; answers in which of them the cursor was. */
  #erase(): number {
    const { rows } = this.#readline.getCursorPos();
    moveCursor(this.#output, 0, -rows);
    cursorTo(this.#output, 0);
    clearScreenDown(this.#output);
    return rows;
  }

  /** Draws them anew. readline begins by going up as many rows as it believes to be below the first. */
  #redraw(rows: number): void {
    this.#output.write("\n".repeat(rows));
    this.#readline.prompt(true);
  }
}
