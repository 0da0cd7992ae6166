import { createServer, type Server, type Socket } from "node:net";
import type { Endpoint } from "../env/datagram.ts";
import type { Metrics } from "../env/metrics.ts";
import type { Resolver } from "../env/resolver.ts";
import type { ListenOptions, StreamListener, StreamPort, StreamSocket } from "../env/stream.ts";
import { makeEndpoint, parseAddress } from "../util/endpoint.ts";
import { ToxError, type ToxErrorCode } from "../util/tox_error.ts";
import { connectFirst } from "./connect_first.ts";
import { nodeResolver } from "./resolver.ts";
import { NodeStreamSocket, STREAM_QUEUE_LIMIT } from "./stream_socket.ts";

export interface NodeStreamOptions {
  /** Counts `tcp.socketError` and `tcp.queueFull`. */
  readonly metrics?: Metrics;
  /** Looks up the names that are connected to; the system's when left out. */
  readonly resolver?: Resolver;
}

/** TCP of the machine. A listener of IPv6 never takes IPv4 connections: listen on one of each. */
export function nodeStreams(options: NodeStreamOptions = {}): StreamPort {
  const { metrics, resolver = nodeResolver } = options;
  return {
    async connect(to, connectOptions) {
      const socket = await connectFirst(to, connectOptions, resolver);
      const limit = connectOptions.queueLimit ?? STREAM_QUEUE_LIMIT;
      return new NodeStreamSocket(socket, remoteOf(socket), limit, metrics);
    },
    async listen(listenOptions) {
      checkOptions(listenOptions);
      return new NodeStreamListener(await listening(listenOptions), listenOptions, metrics);
    },
  };
}

class NodeStreamListener implements StreamListener {
  readonly port: number;
  onConnection: ((stream: StreamSocket) => void) | undefined;
  readonly #server: Server;

  constructor(server: Server, { queueLimit = STREAM_QUEUE_LIMIT }: ListenOptions, metrics: Metrics | undefined) {
    this.#server = server;
    const address = server.address();
    this.port = typeof address === "object" && address !== null ? address.port : 0;
    server.on("error", () => metrics?.count("tcp.listenError"));
    server.on("connection", (socket: Socket) => {
      const remote = remoteOf(socket);
      if (this.onConnection === undefined || remote === undefined) socket.destroy();
      else this.onConnection(new NodeStreamSocket(socket, remote, queueLimit, metrics));
    });
  }

  close(): void {
    this.onConnection = undefined;
    this.#server.close();
    this.#server.unref();
  }
}

/** Undefined when the connection is over already. */
function remoteOf({ remoteAddress, remotePort }: Socket): Endpoint | undefined {
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  const [text = ""] = remoteAddress.split("%");
  const address = parseAddress(text);
  return address && makeEndpoint(withoutMapping(address), remotePort);
}

/** The IPv4 address in ::ffff:a.b.c.d, other addresses as they are. */
function withoutMapping(address: Uint8Array): Uint8Array {
  const mapped = address.length === 16 && address.subarray(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 0xff));
  return mapped ? address.subarray(12) : address;
}

function checkOptions({ family, port, address }: ListenOptions): void {
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new ToxError("invalid-argument", `${port} is no TCP port: give a whole number from 0 to 65535.`);
  }
  if (address === undefined) return;
  const [withoutZone = ""] = address.split("%");
  if (parseAddress(withoutZone)?.length === (family === 4 ? 4 : 16)) return;
  throw new ToxError("invalid-argument", `"${address}" is no IPv${family} address: give one of this machine in text.`);
}

function listening(options: ListenOptions): Promise<Server> {
  const { family, port, address = family === 4 ? "0.0.0.0" : "::" } = options;
  const server = createServer();
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(listenError(error, options));
    server.once("error", fail);
    server.listen({ port, host: address, ipv6Only: family === 6, exclusive: true }, () => {
      server.off("error", fail);
      resolve(server);
    });
  });
}

function listenError(cause: Error, { family, port, address }: ListenOptions): ToxError {
  const where = `TCP port ${port}${address === undefined ? "" : ` of ${address}`} (IPv${family})`;
  const [code, message] = listenProblem((cause as NodeJS.ErrnoException).code, where);
  return new ToxError(code, message, { cause });
}

function listenProblem(systemCode: string | undefined, where: string): [code: ToxErrorCode, message: string] {
  switch (systemCode) {
    case "EADDRINUSE":
      return ["port-in-use", `${where} is taken by another program: choose another port or stop that program.`];
    case "EACCES":
    case "EPERM":
      return [
        "permission-denied",
        `This user may not listen on ${where}: choose a port from 1024 on, or give the program the right to low ports ` +
          "(on Linux the capability CAP_NET_BIND_SERVICE).",
      ];
    case "EAFNOSUPPORT":
    case "EADDRNOTAVAIL":
    case "EINVAL":
    case "EPROTONOSUPPORT":
      return [
        "family-unavailable",
        `${where} cannot be had: this machine does not have that address family or address.`,
      ];
    default:
      return ["network-unavailable", `${where} cannot be had: ${systemCode ?? "unknown system error"}.`];
  }
}
