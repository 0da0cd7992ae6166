import type { DatagramSocket, Endpoint } from "../../../src/env/datagram.ts";
import { type NatKind, type NatOptions, type SimHost, type SimNat, Universe } from "../../../src/testing/index.ts";
import { formatEndpoint } from "../../../src/util/endpoint.ts";

export const PORT = 33445;
export const KINDS: readonly NatKind[] = ["full-cone", "address-restricted", "port-restricted", "symmetric"];

/** A host with sockets, which notes what it hears and from where. */
export class Speaker {
  readonly host: SimHost;
  readonly heard: string[] = [];
  readonly sources: Endpoint[] = [];
  readonly #sockets = new Map<number, DatagramSocket>();

  constructor(host: SimHost) {
    this.host = host;
  }

  async bind(port = PORT): Promise<this> {
    const socket = await this.host.edges.datagrams.bind({ family: 4, port });
    this.#sockets.set(port, socket);
    socket.onDatagram = (_, from) => {
      this.heard.push(formatEndpoint(from));
      this.sources.push(from);
    };
    return this;
  }

  say(to: Endpoint, port = PORT): void {
    const socket = this.#sockets.get(port) as DatagramSocket;
    socket.send(socket.acquire(), 5, to);
  }

  /** Where the last datagram came from. */
  get last(): Endpoint {
    return this.sources.at(-1) as Endpoint;
  }
}

export class World {
  readonly universe = new Universe({ link: { latency: [20, 20] } });

  constructor() {
    this.universe.trace.start();
  }

  speaker(name: string, behind?: SimNat): Promise<Speaker> {
    return new Speaker(this.universe.host(name, behind === undefined ? {} : { behind })).bind();
  }

  nat(kind: NatKind, options: Partial<NatOptions> = {}, name = "nat"): SimNat {
    return this.universe.nat(name, { kind, ...options });
  }

  async pass(ms = 100): Promise<void> {
    await this.universe.run(ms);
  }

  get fates(): string[] {
    return this.universe.trace.entries.map(({ fate }) => fate);
  }
}
