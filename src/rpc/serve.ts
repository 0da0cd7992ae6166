import { once } from "node:events";
import { lstatSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { type MemoryMetrics, type Tox, ToxError } from "../index.ts";
import { Client } from "./client.ts";
import { RpcServer } from "./server.ts";

export interface ServeOptions {
  /** What `stats` tells. */
  readonly metrics?: MemoryMetrics;
  /** Ends the serving as `close` does. */
  readonly signal?: AbortSignal;
}

/** How many clients a socket takes at once. */
const MAX_CLIENTS = 64;

/** Serves one client on a pair of streams until it calls `close` or its input ends. */
export async function serveStdio(
  tox: Tox,
  input: Readable,
  output: Writable,
  options: ServeOptions = {},
): Promise<void> {
  const client = new Client(input, output);
  let closing = false;
  const server = new RpcServer(tox, { metrics: options.metrics, onClose: () => (closing = true) });
  server.connect((line) => client.write(line)); // also after its input has ended: it may still read
  options.signal?.addEventListener("abort", () => client.hangUp());
  await client.serve(
    (line) => server.answer(line),
    () => closing,
  );
}

/**
 * Serves up to 64 clients on a Unix socket until one of them calls `close`. Every client hears every event. Messages that come
 * while there is none wait for one.
 */
export async function serveSocket(tox: Tox, path: string, options: ServeOptions = {}): Promise<void> {
  const sockets = new Set<Socket>(); // bounded by MAX_CLIENTS
  const listening = createServer();
  listening.maxConnections = MAX_CLIENTS;
  let closing = false;
  const stop = () => {
    listening.close();
    for (const socket of sockets) socket.destroySoon();
  };
  const server = new RpcServer(tox, { metrics: options.metrics, onClose: () => (closing = true) });
  listening.on("connection", async (socket) => {
    const client = new Client(socket, socket);
    sockets.add(socket);
    const disconnect = server.connect((line) => client.write(line));
    const serving = client.serve(
      (line) => server.answer(line),
      () => closing,
    );
    await serving.catch(() => socket.destroy());
    disconnect();
    sockets.delete(socket);
    if (closing) stop();
  });
  await listen(listening, path);
  options.signal?.addEventListener("abort", stop);
  await once(listening, "close");
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
