import { request } from "node:http";
import type { Socket } from "node:net";
import { SocksClient } from "socks";
import type { ConnectOptions, StreamPort, StreamTarget } from "../env/stream.ts";
import { parseAddress } from "../util/endpoint.ts";
import { ToxError } from "../util/tox_error.ts";
import { checkPort, connectFirst, targetText } from "./connect_first.ts";
import { addressText } from "./endpoint_cache.ts";
import { type ProxyAddress, parseProxyUrl } from "./proxy_url.ts";
import { nodeResolver } from "./resolver.ts";
import { NodeStreamSocket, STREAM_QUEUE_LIMIT } from "./stream_socket.ts";
import type { NodeStreamOptions } from "./streams.ts";

/** Bytes of an HTTP proxy's answer. */
const LONGEST_ANSWER = 16 * 1024;

/**
 * TCP through a proxy, see `parseProxyUrl`. Names that are connected to go to the proxy as they are. Only the proxy's own
 * name, if it has one, is looked up here.
 */
export function proxyStreams(proxyUrl: string, options: NodeStreamOptions = {}): StreamPort {
  const proxy = parseProxyUrl(proxyUrl);
  const { metrics, resolver = nodeResolver } = options;
  return {
    async connect(to, connectOptions) {
      const socket = await throughProxy(proxy, to, connectOptions, resolver);
      return new NodeStreamSocket(socket, undefined, connectOptions.queueLimit ?? STREAM_QUEUE_LIMIT, metrics);
    },
    async listen() {
      throw new ToxError("network-unavailable", "With a proxy nobody can connect to us: leave out the relay's port.");
    },
  };
}

type Resolver = NonNullable<NodeStreamOptions["resolver"]>;

async function throughProxy(proxy: ProxyAddress, to: StreamTarget, options: ConnectOptions, resolver: Resolver) {
  checkPort(to.port);
  const host = "host" in to ? to.host : addressText(to).replace(/%.*$/, "");
  if (!/^[A-Za-z0-9._:-]{1,255}$/.test(host)) {
    throw new ToxError("invalid-argument", "The host to connect to is neither a name nor an address.");
  }
  const started = performance.now();
  const socket = await toProxy(proxy, options, resolver);
  const timeoutMs = Math.max(1, options.timeoutMs - (performance.now() - started));
  let stop: (reason: string) => void = () => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = (reason) => reject(new Error(reason));
  });
  const timer = setTimeout(() => stop(`no answer within ${options.timeoutMs} ms`), timeoutMs);
  const abort = () => stop("aborted");
  options.signal?.addEventListener("abort", abort, { once: true });
  if (options.signal?.aborted) abort();
  try {
    const asked =
      proxy.kind === "http" ? askHttp(proxy, host, to.port, socket) : askSocks(proxy, host, to.port, socket, timeoutMs);
    await Promise.race([asked, stopped]);
    return socket;
  } catch (cause) {
    socket.destroy();
    if (options.signal?.aborted) throw new ToxError("aborted", `Connecting to ${targetText(to)} was given up.`);
    throw proxyError(proxy, (cause as Error).message, cause);
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", abort);
  }
}

async function toProxy(proxy: ProxyAddress, options: ConnectOptions, resolver: Resolver): Promise<Socket> {
  try {
    return await connectFirst({ host: proxy.host, port: proxy.port }, options, resolver);
  } catch (error) {
    if (error instanceof ToxError && error.code === "aborted") throw error;
    throw proxyError(proxy, (error as Error).message, error);
  }
}

async function askSocks(
  proxy: ProxyAddress,
  host: string,
  port: number,
  socket: Socket,
  timeoutMs: number,
): Promise<void> {
  const { login } = proxy;
  await SocksClient.createConnection({
    proxy: {
      host: proxy.host,
      port: proxy.port,
      type: 5,
      ...(login !== undefined && { userId: login.user, password: login.password }),
    },
    command: "connect",
    destination: { host, port },
    existing_socket: socket,
    timeout: timeoutMs,
  });
}

function askHttp(proxy: ProxyAddress, host: string, port: number, socket: Socket): Promise<void> {
  const target = parseAddress(host)?.length === 16 ? `[${host}]:${port}` : `${host}:${port}`;
  const headers: Record<string, string> = { Host: target };
  if (proxy.login !== undefined) {
    const login = Buffer.from(`${proxy.login.user}:${proxy.login.password}`).toString("base64");
    headers["Proxy-Authorization"] = `Basic ${login}`;
  }
  return new Promise((resolve, reject) => {
    const asked = request({
      method: "CONNECT",
      path: target,
      headers,
      // No `agent`, not even false: with one, Node would make a connection of its own and ignore this socket.
      maxHeaderSize: LONGEST_ANSWER,
      createConnection: () => socket,
    });
    asked.once("connect", (answer, _socket, head) => {
      if (answer.statusCode !== 200) {
        reject(new Error(`it answered ${answer.statusCode}`));
        return;
      }
      if (head.length > 0) socket.unshift(head);
      resolve();
    });
    asked.once("response", (answer) => reject(new Error(`it answered ${answer.statusCode}`)));
    asked.on("error", reject);
    asked.end();
  });
}

function proxyError(proxy: ProxyAddress, why: string, cause: unknown): ToxError {
  const where = `${proxy.kind} proxy ${proxy.host}:${proxy.port}`;
  const message = `No connection through the ${where} (${why}): check that it runs, its address, kind and password.`;
  return new ToxError("proxy-failed", message, { cause });
}
