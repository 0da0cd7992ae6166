import type { Endpoint } from "../../src/env/datagram.ts";
import type { SeededRandom, SimHost, Universe } from "../../src/testing/index.ts";
import { endpointKey, makeEndpoint, sameEndpoint } from "../../src/util/endpoint.ts";

export interface NatBehaviour {
  /** Ports outside for each address sent to, `step` apart; the port inside is kept when left out. */
  /** A port that lets everybody in, once `letIn` says so. */
  readonly mappedPort?: number;
  readonly symmetric?: { readonly firstPort: number; readonly step?: number };
}

interface Nat {
  readonly host: SimHost;
  readonly inside: Endpoint;
  readonly behaviour: NatBehaviour;
  /** By the address sent to: the port outside. */
  readonly ports: Map<string, number>; // bounded by the test
  mapped: boolean;
}

/** How long a datagram takes from or to a host behind a NAT, in ms. */
const LATENCY = 30;

/**
 * NATs out of filters, for hosts with one socket: each keeps its host's address, and lets in only what comes from where its
 * host has sent something, to the port that stands for it.
 */
export class FilteredNats {
  readonly #universe: Universe;
  readonly #random: SeededRandom;
  readonly #loss: number;
  readonly #nats: Nat[] = []; // bounded by the test

  /** `loss`: the share of datagrams lost that a NAT sees, 0–1. */
  constructor(universe: Universe, loss = 0) {
    this.#universe = universe;
    this.#random = universe.random.fork("NATs");
    this.#loss = loss;
    universe.network.addFilter((bytes, from, to) => this.#passes(bytes, from, to));
  }

  /** Call it before the host sends anything. */
  put(host: SimHost, port: number, behaviour: NatBehaviour = {}): void {
    this.#nats.push({ host, inside: host.endpoint(port), behaviour, ports: new Map(), mapped: false });
  }

  /** Maps the port of a host's behaviour, and answers where that is. */
  letIn(host: SimHost): Endpoint {
    const nat = this.#nats.find((one) => one.host === host);
    const port = nat?.behaviour.mappedPort;
    if (nat === undefined || port === undefined) throw new Error(`${host.name} has no port to map.`);
    nat.mapped = true;
    return host.endpoint(port);
  }

  #passes(bytes: Uint8Array, from: Endpoint, to: Endpoint): boolean {
    const sender = this.#nats.find((nat) => sameEndpoint(nat.inside, from));
    const source = sender === undefined ? from : makeEndpoint(from.address, outsidePort(sender, to));
    const receiver = this.#nats.find((nat) => nat.host.address === to.address.join("."));
    if (sender === undefined && receiver === undefined) return true;
    if (this.#random.chance(this.#loss)) return false;
    const copy = bytes.slice();
    const { network, now } = this.#universe;
    this.#universe.at(now + LATENCY, () => {
      if (receiver === undefined) network.inject(copy, source, to);
      else if (receiver.mapped && receiver.behaviour.mappedPort === to.port) {
        receiver.ports.set(endpointKey(source), to.port); // what is answered leaves from there
        network.inject(copy, source, receiver.inside);
      } else if (receiver.ports.get(endpointKey(source)) === to.port) network.inject(copy, source, receiver.inside);
    });
    return false;
  }
}

function outsidePort(nat: Nat, to: Endpoint): number {
  const key = endpointKey(to);
  const known = nat.ports.get(key);
  if (known !== undefined) return known;
  const { symmetric } = nat.behaviour;
  const port = symmetric ? symmetric.firstPort + nat.ports.size * (symmetric.step ?? 1) : nat.inside.port;
  nat.ports.set(key, port);
  return port;
}
