import type { MemoryMetrics, Tox } from "../index.ts";
import { RpcCalls } from "./calls.ts";
import { RpcFiles } from "./files.ts";
import { answerLine, type Methods, notificationLine } from "./json_rpc.ts";
import { rpcMethods } from "./methods.ts";
import { forwardEvents } from "./notifications.ts";
import { PendingRequests } from "./pending_requests.ts";

export interface RpcServerOptions {
  /** What `stats` tells. */
  readonly metrics?: MemoryMetrics | undefined;
  /** A client called `close`; its answer has not left yet. */
  readonly onClose?: () => void;
  /** What there is beside the methods of `docs/rpc.md`, or in place of those of the same name. */
  readonly methods?: Methods;
  /** The only methods that clients may call, each with the only parameters that they may give; all where left out. */
  readonly allow?: Readonly<Record<string, readonly string[]>>;
}

/** Takes one line without its end. It resolves when the line has left: a message counts as handled then. */
export type WriteLine = (line: string) => Promise<void> | void;

/** Messages without receipts that wait for a client; later ones are lost. Those of ours wait with their senders, too. */
const MAX_HELD = 1024;

/**
 * JSON-RPC 2.0 over one instance, for clients on whatever carries lines: each one hears every event, and messages that come while there
 * is none wait for one. Whoever makes clients bounds how many there are.
 */
export class RpcServer {
  readonly #methods: Methods;
  readonly #clients = new Set<WriteLine>(); // its maker bounds it
  #clientCame = Promise.withResolvers<void>();
  #held = 0;

  constructor(tox: Tox, options: RpcServerOptions = {}) {
    const notify = (method: string, params: object) => this.notify(method, params);
    const methods = rpcMethods({
      tox,
      requests: new PendingRequests(tox),
      files: new RpcFiles(tox, notify),
      calls: new RpcCalls(tox, notify),
      metrics: options.metrics,
      close: () => {
        options.onClose?.(); // what it answers is no result
      },
    });
    this.#methods = { ...allowed(methods, options.allow), ...options.methods };
    forwardEvents(tox, notify);
  }

  /**
   * Answers one line: a request, a notification or a batch. Undefined when no answer is due. Never rejects. `methods`: what this client
   * has beside the others.
   */
  answer(line: string, methods: Methods = {}): Promise<string | undefined> {
    return answerLine(line, { ...this.#methods, ...methods });
  }

  /** One more client, who is told of every event until what it answers is called. */
  connect(write: WriteLine): () => void {
    const client: WriteLine = (line) => write(line); // the same function may be there twice
    this.#clients.add(client);
    this.#clientCame.resolve();
    this.#clientCame = Promise.withResolvers();
    return () => void this.#clients.delete(client);
  }

  /** Tells all clients. Resolves when it has left to each of them. Never rejects. */
  async notify(method: string, params: object): Promise<void> {
    if (method === "message" && !(await this.#untilSomebodyIsHere("id" in params))) return;
    const line = notificationLine(method, params);
    await Promise.allSettled([...this.#clients].map(async (write) => write(line)));
  }

  /** False for a message that nobody waits for, when too many of those wait: its sender sends the next one at once. */
  async #untilSomebodyIsHere(hasReceipt: boolean): Promise<boolean> {
    if (this.#clients.size > 0) return true;
    if (!hasReceipt && this.#held >= MAX_HELD) return false;
    if (!hasReceipt) this.#held++;
    while (this.#clients.size === 0) await this.#clientCame.promise;
    if (!hasReceipt) this.#held--;
    return true;
  }
}

function allowed(methods: Methods, allow: RpcServerOptions["allow"]): Methods {
  if (allow === undefined) return methods;
  const chosen = Object.entries(allow).flatMap(([name, params]) => {
    const method = methods[name];
    return method === undefined ? [] : [[name, { ...method, params }] as const];
  });
  return Object.fromEntries(chosen);
}
