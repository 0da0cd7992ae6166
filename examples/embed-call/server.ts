import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type Tox, ToxError } from "toxcore-ts";
import { type Methods, RpcServer } from "toxcore-ts/rpc";
import { type WebSocket, WebSocketServer } from "ws";
import { PageCalls } from "./page_calls.ts";

const LOOPBACK = "127.0.0.1";
const MAX_PAGES = 8;
const MAX_MESSAGE = 256 << 10;
/** Bytes that may wait for a page that does not read. */
const MAX_WAITING = 1 << 20;
/** Requests of one page that are being answered. */
const MAX_REQUESTS = 64;

const FILES: Readonly<Record<string, string>> = {
  "/": "text/html",
  "/style.css": "text/css",
  "/icon.svg": "image/svg+xml",
  ...Object.fromEntries(
    ["main", "rpc", "people", "calls", "connection", "media", "ring", "dom"].map((name) => [
      `/${name}.js`,
      "text/javascript",
    ]),
  ),
};

const HEADERS = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; media-src 'self' blob:; img-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), speaker-selection=(self)",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
};

/** What a page may ask: nothing that names a file of this machine, or ends the program. */
const ALLOWED = {
  self: [],
  setSelf: ["name"],
  friends: [],
  friendRequests: [],
  addFriend: ["id", "message"],
  acceptFriend: ["publicKey"],
  declineFriend: ["publicKey"],
  calls: [],
  call: ["friend", "audio", "video"],
  answer: ["friend", "audio", "video"],
  hangUp: ["friend"],
  callControl: ["friend", "pause", "sendAudio", "sendVideo"],
  callStats: ["friend"],
};

export interface CallServerOptions {
  /** 0, or left out: any that is free. */
  readonly port?: number;
  /** Addresses of this machine at which the page finds it, beside loopback, which Firefox does not take. */
  readonly addresses?: readonly string[];
  /** How long a call waits for its page to come back, in ms; 10 s when left out. */
  readonly grace?: number;
}

/** The page, and what it asks, for whoever has the link. */
export interface CallServer {
  /** With the token, which a browser does not send on its own. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves on loopback alone. Rejects with the error of the socket. */
export async function serveCalls(tox: Tox, options: CallServerOptions = {}): Promise<CallServer> {
  const token = randomBytes(32).toString("base64url");
  const rpc = new RpcServer(tox, { allow: ALLOWED });
  const calls = new PageCalls(tox, options);
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE });
  const http = createServer((request, response) => void answer(request, response, hosts()));
  const hosts = (): string[] => {
    const { port } = http.address() as AddressInfo;
    return [`${LOOPBACK}:${port}`, `localhost:${port}`];
  };
  http.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    const problem = whyNoPage(request, hosts(), token) ?? (sockets.clients.size >= MAX_PAGES ? 503 : undefined);
    if (problem !== undefined) socket.end(`HTTP/1.1 ${problem} No\r\nConnection: close\r\n\r\n`);
    else sockets.handleUpgrade(request, socket, head, (page) => servePage(page, rpc, calls));
  });
  http.listen(options.port ?? 0, LOOPBACK);
  await once(http, "listening");
  return {
    url: `http://${hosts()[0]}/#${token}`,
    close: async () => {
      for (const page of sockets.clients) page.terminate();
      http.close();
      http.closeAllConnections();
      await once(http, "close");
    },
  };
}

/** The status that a WebSocket is refused with; undefined for one of our page. */
function whyNoPage({ method, url, headers }: IncomingMessage, hosts: readonly string[], token: string) {
  if (method !== "GET" || url !== "/rpc") return 404;
  if (!hosts.includes(headers.host ?? "") || headers.origin !== `http://${headers.host}`) return 403;
  return isSame(headers["sec-websocket-protocol"] ?? "", token) ? undefined : 401;
}

/** In a time that does not tell how much of it is right. */
function isSame(one: string, other: string): boolean {
  const [first, second] = [one, other].map((text) => createHash("sha256").update(text).digest());
  return first !== undefined && second !== undefined && timingSafeEqual(first, second);
}

async function answer({ method, url, headers }: IncomingMessage, response: ServerResponse, hosts: readonly string[]) {
  const path = url ?? "";
  const type = Object.hasOwn(FILES, path) ? FILES[path] : undefined;
  if (!hosts.includes(headers.host ?? "")) response.writeHead(403, HEADERS).end();
  else if (method !== "GET") response.writeHead(405, { ...HEADERS, Allow: "GET" }).end();
  else if (type === undefined) response.writeHead(404, HEADERS).end();
  else {
    const body = await readFile(new URL(`page${path === "/" ? "/index.html" : path}`, import.meta.url)).catch(
      () => undefined,
    );
    if (body === undefined) response.writeHead(500, HEADERS).end();
    else response.writeHead(200, { ...HEADERS, "Content-Type": `${type}; charset=utf-8` }).end(body);
  }
}

function servePage(socket: WebSocket, rpc: RpcServer, calls: PageCalls): void {
  const write = (line: string): Promise<void> => {
    if (socket.bufferedAmount > MAX_WAITING) socket.terminate();
    return new Promise((resolve) => socket.send(line, () => resolve()));
  };
  const page = {
    taken: (friend: string) => void write(JSON.stringify({ jsonrpc: "2.0", method: "callTaken", params: { friend } })),
  };
  const methods: Methods = {
    joinCall: { params: ["friend", "sdp"], run: ({ friend, sdp }) => calls.join(page, text(friend), text(sdp)) },
    joinedCalls: { params: [], run: () => calls.joined },
  };
  const disconnect = rpc.connect(write);
  calls.add(page);
  let requests = 0;
  socket.on("message", async (data, isBinary) => {
    if (isBinary || requests >= MAX_REQUESTS) return socket.close(1008);
    requests++;
    const reply = await rpc.answer(String(data), methods);
    requests--;
    if (reply !== undefined) await write(reply);
  });
  socket.on("error", () => socket.terminate());
  socket.on("close", () => {
    disconnect();
    calls.remove(page).catch(() => {}); // the instance is closed
  });
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  throw new ToxError("invalid-argument", '"friend" and "sdp" are strings.');
}
