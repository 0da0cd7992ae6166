import { once } from "node:events";
import { lstatSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { type MemoryMetrics, type Tox, ToxError } from "../index.ts";
import { RpcCalls } from "./calls.ts";
import { Client } from "./client.ts";
import { RpcFiles } from "./files.ts";
import { answerLine, notificationLine } from "./json_rpc.ts";
import { rpcMethods } from "./methods.ts";
import { forwardEvents } from "./notifications.ts";
import { PendingRequests } from "./pending_requests.ts";

export interface ServeOptions {
  /** What `stats` tells. */
  readonly metrics?: MemoryMetrics;
  /** Ends the serving as `close` does. */
  readonly signal?: AbortSignal;
}

/** How many clients a socket takes at once. */
const MAX_CLIENTS = 64;
/** Messages without receipts that wait for a client; later ones are lost. Those of ours wait with their senders, too. */
const MAX_HELD = 1024;

/** Serves one client on a pair of streams until it calls `close` or its input ends. */
export async function serveStdio(
  tox: Tox,
  input: Readable,
  output: Writable,
  options: ServeOptions = {},
): Promise<void> {
  const client = new Client(input, output);
  let closing = false;
  const notify = (method: string, params: object) => client.write(notificationLine(method, params));
  forwardEvents(tox, notify);
  const methods = rpcMethods({
    tox,
    requests: new PendingRequests(tox),
    files: new RpcFiles(tox, notify),
    calls: new RpcCalls(tox, notify),
    metrics: options.metrics,
    close: () => {
      closing = true;
    },
  });
  options.signal?.addEventListener("abort", () => client.hangUp());
  await client.serve(
    (line) => answerLine(line, methods),
    () => closing,
  );
}

/**
 * Serves up to 64 clients on a Unix socket until one of them calls `close`. Every client hears every event. Messages that come
 * while there is none wait for one.
 */
export async function serveSocket(tox: Tox, path: string, options: ServeOptions = {}): Promise<void> {
  const sockets = new Map<Client, Socket>(); // bounded by MAX_CLIENTS
  const server = createServer();
  server.maxConnections = MAX_CLIENTS;
  let closing = false;
  const stop = () => {
    server.close();
    for (const socket of sockets.values()) socket.destroySoon();
  };
  let clientCame = Promise.withResolvers<void>();
  let held = 0;
  const notify = async (method: string, params: object) => {
    const line = notificationLine(method, params);
    if (method === "message" && sockets.size === 0) {
      const mayBeMany = !("id" in params); // nobody waits for its receipt before he sends the next
      if (mayBeMany && held >= MAX_HELD) return;
      if (mayBeMany) held++;
      await clientCame.promise;
      if (mayBeMany) held--;
    }
    await Promise.all([...sockets.keys()].map((client) => client.write(line)));
  };
  const methods = rpcMethods({
    tox,
    requests: new PendingRequests(tox),
    files: new RpcFiles(tox, notify),
    calls: new RpcCalls(tox, notify),
    metrics: options.metrics,
    close: () => {
      closing = true;
    },
  });
  forwardEvents(tox, notify);
  server.on("connection", async (socket) => {
    const client = new Client(socket, socket);
    sockets.set(client, socket);
    clientCame.resolve();
    clientCame = Promise.withResolvers();
    const serving = client.serve(
      (line) => answerLine(line, methods),
      () => closing,
    );
    await serving.catch(() => socket.destroy());
    sockets.delete(client);
    if (closing) stop();
  });
  await listen(server, path);
  options.signal?.addEventListener("abort", stop);
  await once(server, "close");
  rmSync(path, { force: true });
}

async function listen(server: Server, path: string): Promise<void> {
  await removeIfAbandoned(path);
  server.listen(path);
  try {
    await once(server, "listening");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ToxError("invalid-argument", `The socket ${path} cannot be opened: ${reason}.`, { cause: error });
  }
}

/** A socket that a killed server has left behind refuses connections, and is in the way. */
async function removeIfAbandoned(path: string): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there !== undefined && !there.isSocket()) {
    throw new ToxError("invalid-argument", `${path} is there and is no socket: name another path, or move it away.`);
  }
  const probe = connect(path);
  try {
    await once(probe, "connect");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ECONNREFUSED") rmSync(path, { force: true });
  }
  probe.destroy();
}
