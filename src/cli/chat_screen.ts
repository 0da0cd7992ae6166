import { clearLine, createInterface, cursorTo, type Interface } from "node:readline";
import type { ReadStream, WriteStream } from "node:tty";

/** A prompt at the bottom and lines that scroll above it; plain lines in and out where there is no terminal. */
export class ChatScreen {
  readonly interactive: boolean;
  readonly #output: NodeJS.WritableStream;
  readonly #readline: Interface;
  #prompt = "> ";

  constructor(input: NodeJS.ReadableStream, output: NodeJS.WritableStream) {
    this.interactive = (input as ReadStream).isTTY === true && (output as WriteStream).isTTY === true;
    this.#output = output;
    this.#readline = createInterface({ input, output, terminal: this.interactive, historySize: 200 });
  }

  /** Shows a line above the prompt, whatever is being typed. The text must be safe: see `safeText`. */
  print(line: string): void {
    if (!this.interactive) {
      this.#output.write(`${line}\n`);
      return;
    }
    cursorTo(this.#output, 0);
    clearLine(this.#output, 0);
    this.#output.write(`${line}\n`);
    this.#readline.prompt(true);
  }

  set prompt(prompt: string) {
    this.#prompt = prompt;
    if (!this.interactive) return;
    this.#readline.setPrompt(prompt);
    this.#readline.prompt(true);
  }

  /** Hands each typed line to `onLine`; resolves at the end of the input, at ^C or after `close`. */
  async read(onLine: (line: string) => void, signal?: AbortSignal): Promise<void> {
    signal?.addEventListener("abort", () => this.close());
    if (this.interactive) {
      this.#readline.setPrompt(this.#prompt);
      this.#readline.prompt();
    }
    await new Promise<void>((resolve) => {
      this.#readline.on("line", (line) => {
        onLine(line);
        if (this.interactive) this.#readline.prompt();
      });
      this.#readline.on("SIGINT", () => this.close());
      this.#readline.once("close", resolve);
    });
  }

  close(): void {
    this.#readline.close();
  }
}
