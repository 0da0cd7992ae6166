import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { ToxError } from "../index.ts";

/** Asks at the terminal, without showing what is typed. Rejects with `aborted` at ^C and ^D. */
export async function askPassword(question: string): Promise<Uint8Array> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 });
  process.stdout.write(question); // not before: what is typed until the terminal is told not to echo would be seen
  try {
    const line = await new Promise<string>((resolve, reject) => {
      lines.once("line", resolve);
      lines.once("close", () => reject(new ToxError("aborted", "Without the password the profile stays closed.")));
    });
    return new TextEncoder().encode(line);
  } finally {
    lines.close();
    process.stdout.write("\n");
  }
}
