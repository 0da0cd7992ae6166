import type { Readable, Writable } from "node:stream";
import { tooLongLine } from "./json_rpc.ts";
import { linesOf, MAX_LINE_BYTES, TOO_LONG } from "./lines.ts";

/** One client of the JSON-RPC server: lines in, lines out, one request after the other. */
export class Client {
  readonly #input: Readable;
  readonly #output: Writable;

  constructor(input: Readable, output: Writable) {
    this.#input = input;
    this.#output = output;
    output.on("error", () => input.destroy()); // a client that went away gets no answer
  }

  /** Answers line after line until the input ends or `isClosing` after an answer. Leaving destroys the input. */
  async serve(answer: (line: string) => Promise<string | undefined>, isClosing: () => boolean): Promise<void> {
    try {
      for await (const line of linesOf(this.#input)) {
        if (line === TOO_LONG) {
          await this.write(tooLongLine(MAX_LINE_BYTES));
          continue;
        }
        if (line.trim() === "") continue;
        const reply = await answer(line);
        if (reply !== undefined) await this.write(reply);
        if (isClosing()) break;
      }
    } catch (error) {
      if (!this.#input.destroyed) throw error;
    }
  }

  /** Resolves when the line has left, or never will. */
  write(line: string): Promise<void> {
    if (this.#output.destroyed || this.#output.writableEnded) return Promise.resolve();
    return new Promise((resolve) => this.#output.write(`${line}\n`, () => resolve()));
  }

  /** Lets what was written leave, then hangs up. */
  hangUp(): void {
    this.#input.destroy();
  }
}
