import { createConnection, isIPv6, type Socket } from "node:net";
import type { Resolver } from "../env/resolver.ts";
import type { ConnectOptions, StreamTarget } from "../env/stream.ts";
import { formatAddress } from "../util/endpoint.ts";
import { ToxError } from "../util/tox_error.ts";
import { addressText } from "./endpoint_cache.ts";

/** How long, in ms, one address is tried alone before the next is tried beside it (RFC 8305). */
const HEAD_START = 250;
/** Addresses of a name that are tried; whoever answers for the name may give thousands. */
const MOST_ADDRESSES = 8;

/** Connects to the first address of the target that answers. The socket has no listener and does not read yet. */
export async function connectFirst(to: StreamTarget, options: ConnectOptions, resolver: Resolver): Promise<Socket> {
  const { timeoutMs, signal } = options;
  const where = targetText(to);
  checkPort(to.port);
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), timeoutMs);
  const stop = signal === undefined ? timeout.signal : AbortSignal.any([timeout.signal, signal]);
  try {
    stop.throwIfAborted();
    const hosts = "host" in to ? await stoppable(resolver.resolve(to.host), stop) : undefined;
    const addresses = hosts?.slice(0, MOST_ADDRESSES).map(formatAddress) ?? ("host" in to ? [] : [addressText(to)]);
    return await firstOf(addresses, to.port, options, stop);
  } catch (cause) {
    if (signal?.aborted) throw new ToxError("aborted", `Connecting to ${where} was given up.`, { cause });
    throw connectError(cause, where, timeout.signal.aborted ? timeoutMs : undefined);
  } finally {
    clearTimeout(timer);
  }
}

export function targetText(to: StreamTarget): string {
  if ("host" in to) return `${to.host}:${to.port}`;
  return to.family === 4 ? `${formatAddress(to.address)}:${to.port}` : `[${formatAddress(to.address)}]:${to.port}`;
}

export function checkPort(port: number): void {
  if (Number.isInteger(port) && port >= 1 && port <= 65535) return;
  throw new ToxError("invalid-argument", `${port} is no TCP port to connect to: give a whole number from 1 to 65535.`);
}

function connectError(cause: unknown, where: string, timeoutMs: number | undefined): ToxError {
  const code = (cause as NodeJS.ErrnoException).code;
  let why = code ?? "unknown system error";
  if (timeoutMs !== undefined) why = `no answer within ${timeoutMs} ms`;
  else if (code === "ECONNREFUSED") why = "nothing listens there";
  else if (cause instanceof ToxError) why = cause.message;
  const message = `No TCP connection to ${where} (${why}): check the address and this machine's network.`;
  return new ToxError("connection-failed", message, { cause });
}

/** Rejects when stopped, even if the promise never settles. */
function stoppable<T>(promise: Promise<T>, stop: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(stop.reason);
    stop.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => stop.removeEventListener("abort", abort));
  });
}

function firstOf(
  addresses: readonly string[],
  port: number,
  { fromIpv4, fromIpv6 }: Pick<ConnectOptions, "fromIpv4" | "fromIpv6">,
  stop: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const trying = new Set<Socket>(); // bounded by MOST_ADDRESSES
    let next = 0;
    let settled = false;
    let headStart: NodeJS.Timeout | undefined;
    let lastError: unknown = new Error("no address");

    const settle = (winner: Socket | undefined, error?: unknown) => {
      if (settled) return;
      settled = true;
      clearTimeout(headStart);
      stop.removeEventListener("abort", abort);
      for (const socket of trying) if (socket !== winner) socket.destroy();
      if (winner === undefined) reject(error);
      else resolve(winner);
    };
    const abort = () => settle(undefined, stop.reason);

    const tryNext = () => {
      clearTimeout(headStart);
      if (settled) return;
      const host = addresses[next++];
      if (host === undefined) {
        if (trying.size === 0) settle(undefined, lastError);
        return;
      }
      const localAddress = isIPv6(host) ? fromIpv6 : fromIpv4;
      const socket = createConnection({ host, port, ...(localAddress !== undefined && { localAddress }) });
      trying.add(socket);
      const failed = (error: Error) => {
        trying.delete(socket);
        lastError = error;
        tryNext();
      };
      socket.on("error", failed);
      socket.once("connect", () => {
        socket.off("error", failed);
        socket.on("error", () => {}); // none goes unheard until the owner listens
        settle(socket);
      });
      headStart = setTimeout(tryNext, HEAD_START);
    };

    if (stop.aborted) {
      abort();
      return;
    }
    stop.addEventListener("abort", abort, { once: true });
    tryNext();
  });
}
