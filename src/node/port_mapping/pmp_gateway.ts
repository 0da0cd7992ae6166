import { createSocket, type Socket } from "node:dgram";
import type { MappedProtocol } from "../../env/port_mapper.ts";
import type { Random } from "../../env/random.ts";
import { mappedIpv4, parseAddress } from "../../util/endpoint.ts";
import { type Gateway, GatewayError, type Grant } from "./gateway.ts";
import { decodeAddressResponse, decodeMapResponse, encodeAddressRequest, encodeMapRequest } from "./nat_pmp.ts";
import {
  decodeAnnounceResponse,
  decodePcpMapResponse,
  encodeAnnounce,
  encodePcpMap,
  PCP_NONCE_SIZE,
  type PcpMapping,
  UNSUPPORTED_VERSION,
} from "./pcp.ts";

export const PMP_PORT = 5351;
/** The first repetition, in ms; each later one waits twice as long (RFC 6886, 3.1). */
const REPEAT_MS = 250;
/** RFC 6886 tries nine times, for two minutes; a router in the same network answers the first, or is none. */
const TRIES = 4;

export interface PmpOptions {
  readonly router: string;
  /** The local address to ask from; the one towards the router when left out. */
  readonly address?: string;
  readonly random: Random;
  /** 5351 when left out. */
  readonly port?: number;
}

/** Asks the router whether it speaks PCP or NAT-PMP, both at once. Rejects when it speaks neither. */
export async function findPmpGateway(options: PmpOptions, signal: AbortSignal): Promise<Gateway> {
  const channel = await Channel.open(options);
  const first = new AbortController();
  const either = AbortSignal.any([signal, first.signal]);
  try {
    const announced = channel.ask(encodeAnnounce(channel.address), spoken(decodeAnnounceResponse), either);
    const asked = channel.ask(encodeAddressRequest(), spoken(decodeAddressResponse), either);
    return await Promise.any<Gateway>([
      announced.then((result) => {
        expectGranted(result);
        return new PcpGateway(channel, options.random);
      }),
      asked.then((answer) => {
        if (typeof answer === "number") expectGranted(answer);
        return new NatPmpGateway(channel);
      }),
    ]);
  } catch (error) {
    channel.close();
    throw error instanceof AggregateError ? error.errors[0] : error;
  } finally {
    first.abort();
  }
}

/** A router that speaks one of the two answers the other in its own, and says that it does not speak it. */
function spoken<T>(decode: (bytes: Uint8Array) => T | undefined): typeof decode {
  return (bytes) => {
    const answer = decode(bytes);
    return answer === UNSUPPORTED_VERSION ? undefined : answer;
  };
}

class NatPmpGateway implements Gateway {
  readonly kind = "nat-pmp";
  readonly #channel: Channel;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  async map(protocol: MappedProtocol, port: number, seconds: number, signal: AbortSignal): Promise<Grant> {
    const address = await this.#channel.ask(encodeAddressRequest(), decodeAddressResponse, signal);
    const { externalPort, lifetime } = await this.#ask(protocol, port, port, seconds, signal);
    return { externalPort, externalAddress: typeof address === "number" ? undefined : address, lifetime };
  }

  async unmap(protocol: MappedProtocol, port: number, _externalPort: number, signal: AbortSignal): Promise<void> {
    await this.#ask(protocol, port, 0, 0, signal);
  }

  close(): void {
    this.#channel.close();
  }

  async #ask(protocol: MappedProtocol, port: number, externalPort: number, lifetime: number, signal: AbortSignal) {
    const decode = (bytes: Uint8Array) => {
      const answer = decodeMapResponse(bytes, protocol);
      return answer?.port === port || answer?.result ? answer : undefined;
    };
    const answer = await this.#channel.ask(encodeMapRequest(protocol, port, externalPort, lifetime), decode, signal);
    expectGranted(answer.result);
    return answer;
  }
}

class PcpGateway implements Gateway {
  readonly kind = "pcp";
  readonly #channel: Channel;
  readonly #random: Random;
  /** By protocol and port: a router takes a mapping back, or renews it, only with the nonce that it was made with. */
  readonly #nonces = new Map<string, Uint8Array>(); // bounded by the ports that we map

  constructor(channel: Channel, random: Random) {
    this.#channel = channel;
    this.#random = random;
  }

  async map(protocol: MappedProtocol, port: number, seconds: number, signal: AbortSignal): Promise<Grant> {
    const { externalPort, externalAddress, lifetime } = await this.#ask(protocol, port, port, seconds, signal);
    return { externalPort, externalAddress: mappedIpv4(externalAddress), lifetime };
  }

  async unmap(protocol: MappedProtocol, port: number, externalPort: number, signal: AbortSignal): Promise<void> {
    await this.#ask(protocol, port, externalPort, 0, signal);
  }

  close(): void {
    this.#channel.close();
  }

  async #ask(
    protocol: MappedProtocol,
    port: number,
    externalPort: number,
    lifetime: number,
    signal: AbortSignal,
  ): Promise<PcpMapping> {
    const name = `${protocol} ${port}`;
    const nonce = this.#nonces.get(name) ?? new Uint8Array(PCP_NONCE_SIZE);
    if (!this.#nonces.has(name)) this.#random.fill(nonce);
    this.#nonces.set(name, nonce);
    const request = { client: this.#channel.address, nonce, protocol, port, externalPort, lifetime };
    const decode = (bytes: Uint8Array) => {
      const answer = decodePcpMapResponse(bytes, request);
      return answer?.port === port ? answer : undefined;
    };
    const answer = await this.#channel.ask(encodePcpMap(request), decode, signal);
    expectGranted(answer.result);
    return answer;
  }
}

function expectGranted(result: number): void {
  if (result !== 0) throw new GatewayError(`the router refuses, with the result ${result}`);
}

interface Waiting {
  /** Answers whether the datagram was the answer. */
  take(bytes: Uint8Array): boolean;
  fail(error: unknown): void;
}

/** Questions to one router and their answers. The socket is connected: the system drops what comes from anybody else. */
class Channel {
  readonly address: Uint8Array;
  readonly #socket: Socket;
  readonly #waiting = new Set<Waiting>(); // bounded by our own questions

  private constructor(socket: Socket, address: Uint8Array) {
    this.#socket = socket;
    this.address = address;
    socket.on("message", ({ buffer, byteOffset, length }) => {
      const bytes = new Uint8Array(buffer, byteOffset, length); // a Buffer's `slice` would not copy
      for (const waiting of this.#waiting) if (waiting.take(bytes)) return;
    });
    // nobody listens there, or the network is gone
    socket.on("error", (error) => {
      for (const waiting of [...this.#waiting]) waiting.fail(error);
    });
  }

  static async open({ router, address, port = PMP_PORT }: PmpOptions): Promise<Channel> {
    const socket = createSocket("udp4");
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once("error", reject);
        socket.bind({ port: 0, ...(address !== undefined && { address }) }, () => {
          socket.once("connect", () => resolve());
          socket.connect(port, router);
        });
      });
      socket.removeAllListeners("error");
      const local = parseAddress(socket.address().address);
      if (local?.length !== 4) throw new GatewayError("there is no IPv4 address towards the router");
      return new Channel(socket, local);
    } catch (error) {
      socket.removeAllListeners("error");
      socket.on("error", () => {});
      socket.close();
      throw error;
    }
  }

  /** Sends the question until `decode` takes an answer. */
  async ask<T>(question: Uint8Array, decode: (bytes: Uint8Array) => T | undefined, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiting: Waiting = {
      take: (bytes) => {
        const answer = decode(bytes);
        if (answer === undefined) return false;
        resolve(answer);
        return true;
      },
      fail: reject,
    };
    let timer: NodeJS.Timeout | undefined;
    const send = (tries: number, wait: number): void => {
      if (tries === 0) {
        reject(new GatewayError("the router does not answer"));
        return;
      }
      this.#socket.send(question, () => {}); // what is lost is sent again
      timer = setTimeout(send, wait, tries - 1, wait * 2);
    };
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
    this.#waiting.add(waiting);
    try {
      send(TRIES, REPEAT_MS);
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      this.#waiting.delete(waiting);
    }
  }

  close(): void {
    for (const waiting of [...this.#waiting]) waiting.fail(new GatewayError("closed"));
    this.#socket.removeAllListeners();
    this.#socket.on("error", () => {});
    try {
      this.#socket.close();
    } catch {} // it was closed before
  }
}
