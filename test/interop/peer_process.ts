import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Mailbox, withMessage } from "./mailbox.ts";
import { onOneProcessor } from "./one_processor.ts";
import type { CreateParams, Method, Methods, ReadyInfo, WireError } from "./peer/protocol.ts";
import { ended, spawnTied, Tail } from "./process.ts";

const MAIN = fileURLToPath(new URL("./peer/main.ts", import.meta.url));
const START_TIMEOUT_MS = 60_000;
const REQUEST_TIMEOUT_MS = 30_000;
const CLOSE_TIMEOUT_MS = 20_000;

/** A call into libtoxcore failed: `code` is the C name, as `TOX_ERR_FRIEND_SEND_MESSAGE_SENDQ`. */
export class ToxcoreError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "ToxcoreError";
    this.code = code;
  }
}

interface PendingRequest {
  resolve: (result: never) => void;
  fail: (error: WireError) => void;
}

/** The child process: requests to it, and what it tells. */
export class PeerProcess {
  readonly mailbox: Mailbox;
  readonly exited: Promise<string>;

  readonly #label: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #errors: Tail;
  readonly #requests = new Map<number, PendingRequest>();
  readonly #created = Promise.withResolvers<ReadyInfo>();
  #nextId = 1;
  #gone: string | undefined;
  #killed = false;
  #closing: Promise<void> | undefined;

  /** `alone`: on one processor as far as it knows, see `onOneProcessor`. */
  constructor(label: string, netns: string | undefined, alone = false) {
    this.#label = label;
    this.mailbox = new Mailbox(label);
    const line = [process.execPath, MAIN];
    const [program = "", ...args] = alone ? onOneProcessor(line) : line;
    this.#child = spawnTied(program, args, netns);
    this.#errors = new Tail(this.#child.stderr);
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#receive(line));
    this.exited = ended(this.#child).then(
      (how) => this.#onExit(how),
      (error: unknown) => this.#onExit(String(error)),
    );
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  async create(params: CreateParams): Promise<ReadyInfo> {
    if (params.log !== undefined) this.#child.stderr.on("data", (text: string) => process.stderr.write(text));
    this.#write(params);
    const timer = setTimeout(() => {
      this.#created.reject(new Error(`${this.#label}: did not start within ${START_TIMEOUT_MS} ms`));
    }, START_TIMEOUT_MS);
    try {
      return await this.#created.promise;
    } catch (error) {
      await this.kill();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  request<M extends Method>(
    method: M,
    params: Methods[M]["params"],
    timeoutMs: number = REQUEST_TIMEOUT_MS,
  ): Promise<Methods[M]["result"]> {
    const error = new ToxcoreError("", "");
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      const timer = setTimeout(() => {
        pending.fail({ code: "TIMEOUT", message: `no answer after ${timeoutMs} ms` });
      }, timeoutMs);
      const pending: PendingRequest = {
        resolve: (result) => {
          clearTimeout(timer);
          this.#requests.delete(id);
          resolve(result);
        },
        fail: ({ code, message }) => {
          clearTimeout(timer);
          this.#requests.delete(id);
          Object.assign(error, { code });
          reject(withMessage(error, `${this.#label}.${method}: ${message}`));
        },
      };
      this.#requests.set(id, pending);
      if (this.#gone !== undefined) pending.fail({ code: "GONE", message: this.#gone });
      else this.#write({ id, method, params });
    });
  }

  /** `SIGSTOP` and `SIGCONT`: the process stands still, and goes on as if no time had passed. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    this.#killed = true;
    this.#child.kill("SIGKILL");
    await this.exited;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#gone === undefined) {
      const timer = setTimeout(() => this.#child.kill("SIGKILL"), CLOSE_TIMEOUT_MS);
      // Nothing to say if it was already dying: `exited` waits for that.
      await this.request("close", {}).catch(() => {});
      await this.exited;
      clearTimeout(timer);
    }
  }

  #write(message: object): void {
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  #receive(line: string): void {
    // It may have died in the middle of this line.
    if (this.#killed) return;
    const message = JSON.parse(line);
    if (message.event === "ready") this.#created.resolve(message);
    else if (message.event === "failed") {
      const { code, message: text }: WireError = message.error;
      this.#created.reject(new ToxcoreError(code, `${this.#label}: ${text}`));
    } else if (message.event !== undefined) this.mailbox.post(message);
    else if (message.error !== undefined) this.#requests.get(message.id)?.fail(message.error);
    else this.#requests.get(message.id)?.resolve(message.result as never);
  }

  #onExit(how: string): string {
    const errors = this.#errors.text;
    this.#gone = `the process has ended (${how})${errors === "" ? "" : `, its standard error:\n${errors}`}`;
    this.#created.reject(new Error(`${this.#label}: ${this.#gone}`));
    for (const pending of [...this.#requests.values()]) pending.fail({ code: "GONE", message: this.#gone });
    this.mailbox.close(this.#gone);
    return how;
  }
}
