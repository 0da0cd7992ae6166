/**
 * One real toxcore in a process of its own: newline-delimited JSON on standard input and output (see `protocol.ts`).
 *
 * `node main.ts` waits for its creation parameters on the first line. `node main.ts --probe [library]` only loads the
 * library, prints its version and exits: 0 when it is there, 1 when it is not.
 */
import { createInterface } from "node:readline";
import type { Notify } from "./callbacks.ts";
import { CallError } from "./errors.ts";
import { loadLibrary } from "./library.ts";
import { Peer } from "./peer.ts";
import { type CreateParams, monotonicMs, type WireError } from "./protocol.ts";

const EXIT_NOT_CREATED = 1;
const EXIT_HARNESS_BUG = 70;

if (process.argv[2] === "--probe") probe(process.argv[3]);
else serve();

function probe(path: string | undefined): void {
  try {
    console.log(loadLibrary(path).version);
  } catch (error) {
    console.error(toWireError(error).message);
    process.exitCode = EXIT_NOT_CREATED;
  }
}

function serve(): void {
  let peer: Peer | undefined;
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    if (peer === undefined) peer = createPeer(line);
    else void handle(peer, line);
  });
  // The parent is gone, and nobody else ends this process.
  lines.on("close", () => process.exit(0));
  // An exception in a C callback gets here too: koffi hands it on once the C call returns.
  process.on("uncaughtException", (error) => {
    console.error(error);
    process.exit(EXIT_HARNESS_BUG);
  });
}

function createPeer(line: string): Peer {
  const notify: Notify = (event, fields) => write({ event, at: monotonicMs(), ...fields });
  try {
    const params = JSON.parse(line) as CreateParams;
    const peer = new Peer(loadLibrary(params.library), params, notify);
    write({ event: "ready", ...peer.info() });
    return peer;
  } catch (error) {
    write({ event: "failed", error: toWireError(error) });
    process.exit(EXIT_NOT_CREATED);
  }
}

async function handle(peer: Peer, line: string): Promise<void> {
  const { id, method, params } = JSON.parse(line) as { id: number; method: string; params: never };
  try {
    write({ id, result: await peer.handle(method, params) });
  } catch (error) {
    write({ id, error: toWireError(error) });
  }
  // `process.exit` drops what the pipe has not taken yet.
  if (method === "close") process.stdout.write("", () => process.exit(0));
}

function write(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function toWireError(error: unknown): WireError {
  if (error instanceof CallError) return { code: error.code, message: error.message };
  return { code: "HARNESS", message: error instanceof Error ? error.message : String(error) };
}
