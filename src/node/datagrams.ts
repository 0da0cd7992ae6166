import { createSocket, type Socket } from "node:dgram";
import type { BindOptions, DatagramPort } from "../env/datagram.ts";
import type { Metrics } from "../env/metrics.ts";
import { parseAddress } from "../util/endpoint.ts";
import { ToxError, type ToxErrorCode } from "../util/tox_error.ts";
import { NodeDatagramSocket } from "./datagram_socket.ts";

export interface NodeDatagramOptions {
  /** Counts `udp.sendError`, `udp.socketError` and `udp.queueFull`. */
  readonly metrics?: Metrics;
  /** Bytes that may wait to be sent, a socket, before `send` answers false. 1 MiB when left out. */
  readonly queueLimit?: number;
}

const QUEUE_LIMIT = 1 << 20;
/** Asked of the system for each direction; it may give less. The default, 208 KiB on Linux, holds 20 ms of 80 Mbit/s. */
const KERNEL_BUFFER = 4 << 20;

/** UDP sockets of the machine. An IPv6 socket never takes IPv4 datagrams: bind one of each. */
export function nodeDatagrams(options: NodeDatagramOptions = {}): DatagramPort {
  return {
    async bind(bindOptions) {
      checkOptions(bindOptions);
      const socket = await bound(bindOptions);
      if (bindOptions.broadcast === true) socket.setBroadcast(true);
      growKernelBuffers(socket);
      return new NodeDatagramSocket(socket, bindOptions.family, options.queueLimit ?? QUEUE_LIMIT, options.metrics);
    },
  };
}

/** Node takes such mistakes for an absent family, or throws errors of its own. */
function checkOptions({ family, port, address }: BindOptions): void {
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new ToxError("invalid-argument", `${port} is no UDP port: give a whole number from 0 to 65535.`);
  }
  if (address === undefined) return;
  const [withoutZone = ""] = address.split("%");
  if (parseAddress(withoutZone)?.length === (family === 4 ? 4 : 16)) return;
  throw new ToxError("invalid-argument", `"${address}" is no IPv${family} address: give one of this machine in text.`);
}

function bound(options: BindOptions): Promise<Socket> {
  const { family, port, address } = options;
  const socket = createSocket({
    type: family === 4 ? "udp4" : "udp6",
    ipv6Only: family === 6,
    // All addresses are literal: answering at once makes `send` call the system within the call.
    lookup: (hostname, _options, callback) => callback(null, hostname, family),
  });
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      socket.close();
      reject(bindError(error, options));
    };
    socket.once("error", fail);
    const bindTo = { port, exclusive: true, ...(address === undefined ? {} : { address }) };
    socket.bind(bindTo, () => {
      socket.off("error", fail);
      resolve(socket);
    });
  });
}

function growKernelBuffers(socket: Socket): void {
  try {
    socket.setRecvBufferSize(KERNEL_BUFFER);
    socket.setSendBufferSize(KERNEL_BUFFER);
  } catch {
    // The system's own size serves.
  }
}

function bindError(cause: Error, { family, port, address }: BindOptions): ToxError {
  const where = `UDP port ${port}${address === undefined ? "" : ` of ${address}`} (IPv${family})`;
  const [code, message] = bindProblem((cause as NodeJS.ErrnoException).code, where);
  return new ToxError(code, message, { cause });
}

function bindProblem(systemCode: string | undefined, where: string): [code: ToxErrorCode, message: string] {
  switch (systemCode) {
    case "EADDRINUSE":
      return ["port-in-use", `${where} is taken by another program: choose another port or stop that program.`];
    case "EACCES":
    case "EPERM":
      return ["permission-denied", `This user may not bind ${where}: choose a port from 1024 on.`];
    case "EAFNOSUPPORT":
    case "EADDRNOTAVAIL":
    case "EINVAL":
    case "EPROTONOSUPPORT":
      return [
        "family-unavailable",
        `${where} cannot be bound: this machine does not have that address family or address.`,
      ];
    default:
      return ["network-unavailable", `${where} cannot be bound: ${systemCode ?? "unknown system error"}.`];
  }
}
