import { createSocket } from "node:dgram";
import { once } from "node:events";

export interface PmpRequest {
  readonly version: number;
  readonly opcode: number;
  readonly internalPort: number;
  readonly externalPort: number;
  readonly lifetime: number;
}

/** The port that routers listen on. */
export const PMP_PORT = 5351;

export interface FakePmpRouterOptions {
  readonly onRequest?: (request: PmpRequest) => void;
  readonly speaks: "pcp" | "nat-pmp" | "both";
  readonly address?: string;
  readonly port?: number;
  readonly outer?: readonly [number, number, number, number];
  /** Changes what is answered, datagram by datagram. */
  readonly spoil?: (answer: Buffer, request: Buffer) => readonly Uint8Array[];
}

/** A router that answers PCP or NAT-PMP on loopback, or in a namespace of its own. */
export async function fakePmpRouter(options: FakePmpRouterOptions) {
  const { speaks, address = "127.0.0.1", port = 0, outer = [5, 6, 7, 8], spoil = (answer) => [answer] } = options;
  const socket = createSocket("udp4");
  const requests: PmpRequest[] = [];
  socket.on("message", (request, from) => {
    const answer = request[0] === 2 ? answerPcp(request) : answerNatPmp(request);
    if (answer === undefined) return;
    for (const datagram of spoil(answer, request)) socket.send(datagram, from.port, from.address);
  });

  function answerPcp(request: Buffer): Buffer | undefined {
    if (speaks === "nat-pmp") return Buffer.from([0, 128 | (request[1] ?? 0), 0, 1, 0, 0, 0, 9]);
    const answer = Buffer.from(request);
    answer[1] = 128 | (request[1] ?? 0);
    answer.fill(0, 8, 24);
    if (request[1] !== 1) return answer;
    take(request, request.readUInt16BE(40), request.readUInt16BE(42), request.readUInt32BE(4));
    answer.set([0xff, 0xff, ...outer], 54);
    return answer;
  }

  function answerNatPmp(request: Buffer): Buffer | undefined {
    if (speaks === "pcp") return Buffer.from([2, 128, 0, 1, ...new Array(20).fill(0)]);
    const head = [0, 128 | (request[1] ?? 0), 0, 0, 0, 0, 0, 9];
    if (request[1] === 0) return Buffer.from([...head, ...outer]);
    take(request, request.readUInt16BE(4), request.readUInt16BE(6), request.readUInt32BE(8));
    return Buffer.from([...head, ...request.subarray(4, 12)]);
  }

  function take(request: Buffer, internalPort: number, externalPort: number, lifetime: number): void {
    const taken = { version: request[0] ?? 0, opcode: request[1] ?? 0, internalPort, externalPort, lifetime };
    requests.push(taken);
    options.onRequest?.(taken);
  }

  socket.bind(port, address);
  await once(socket, "listening");
  return { port: socket.address().port, requests, close: () => void socket.close() };
}
