import type { Endpoint } from "../env/datagram.ts";
import { endpointKey, formatAddress } from "../util/endpoint.ts";
import type { SeededRandom } from "./seeded_random.ts";

/**
 * How a NAT maps and filters. The cones give a socket inside one port outside, whoever it talks to; through it comes
 * what anybody sends (full), what an address sends that was sent to (address-restricted), or what an address and port
 * send that were sent to (port-restricted). A symmetric one gives a port for each address and port that is sent to.
 */
export type NatKind = "full-cone" | "address-restricted" | "port-restricted" | "symmetric";

/** A port outside that stands for a socket inside. */
export interface NatMapping {
  readonly inside: Endpoint;
  readonly outsidePort: number;
  /** Virtual ms, unless something is sent through it before. */
  readonly expires: number;
}

interface Mapping extends NatMapping {
  expires: number;
  readonly key: string;
  /** Until when a remote address, or address and port, is let in. */
  readonly contacts: Map<string, number>; // bounded by those the inside sends to
}

export interface NatTableOptions {
  readonly kind: NatKind;
  readonly randomPorts: boolean;
  /** How long a mapping, or a right to answer, lasts after the last thing sent, in ms. */
  readonly lifetime: number;
  /** Only what something was sent to is let in, whatever the kind: TCP. */
  readonly strict: boolean;
}

const FIRST_PORT = 1024;
const PORTS = 65536 - FIRST_PORT;

/** The mappings of a NAT for one protocol. */
export class NatTable {
  readonly #options: NatTableOptions;
  readonly #random: SeededRandom;
  readonly #byInside = new Map<string, Mapping>(); // bounded by the ports there are
  readonly #byPort = new Map<number, Mapping>(); // bounded by the ports there are
  #nextPort: number;

  constructor(options: NatTableOptions, random: SeededRandom) {
    this.#options = options;
    this.#random = random;
    this.#nextPort = FIRST_PORT + (random.nextU32() % PORTS);
  }

  /** The mappings that live. */
  mappings(now: number): NatMapping[] {
    return [...this.#byPort.values()].filter(({ expires }) => expires > now);
  }

  /** The port outside for what `from` sends to `to`; undefined when there is none and `make` says not to make one. */
  outbound(now: number, from: Endpoint, to: Endpoint, make: boolean): number | undefined {
    const key = this.#options.kind === "symmetric" ? `${endpointKey(from)} ${endpointKey(to)}` : endpointKey(from);
    let mapping = this.#byInside.get(key);
    if (mapping === undefined || mapping.expires <= now) {
      if (!make) return undefined;
      mapping = this.#make(now, key, from);
    }
    const contact = this.#contactKey(to);
    if (!make && !((mapping.contacts.get(contact) ?? 0) > now)) return undefined;
    mapping.expires = now + this.#options.lifetime;
    mapping.contacts.set(contact, mapping.expires);
    return mapping.outsidePort;
  }

  /** Whom a port outside stands for, whoever asks. */
  insideOf(now: number, port: number): Endpoint | undefined {
    const mapping = this.#byPort.get(port);
    return mapping !== undefined && mapping.expires > now ? mapping.inside : undefined;
  }

  /** Where something from `from` to a port outside goes, or why nowhere. */
  inbound(now: number, port: number, from: Endpoint): Endpoint | "no-mapping" | "nat-filtered" {
    const mapping = this.#byPort.get(port);
    if (mapping === undefined || mapping.expires <= now) return "no-mapping";
    const { kind, strict } = this.#options;
    if (kind === "full-cone" && !strict) return mapping.inside;
    return (mapping.contacts.get(this.#contactKey(from)) ?? 0) > now ? mapping.inside : "nat-filtered";
  }

  forget(): void {
    this.#byInside.clear();
    this.#byPort.clear();
  }

  #contactKey(remote: Endpoint): string {
    const byAddress = this.#options.kind === "address-restricted" && !this.#options.strict;
    return byAddress ? formatAddress(remote.address) : endpointKey(remote);
  }

  #make(now: number, key: string, inside: Endpoint): Mapping {
    const outsidePort = this.#choosePort(now, inside.port);
    const before = this.#byPort.get(outsidePort);
    if (before !== undefined && this.#byInside.get(before.key) === before) this.#byInside.delete(before.key);
    const outdated = this.#byInside.get(key);
    if (outdated !== undefined) this.#byPort.delete(outdated.outsidePort);
    const mapping = { key, inside, outsidePort, expires: now, contacts: new Map<string, number>() };
    this.#byInside.set(key, mapping);
    this.#byPort.set(outsidePort, mapping);
    return mapping;
  }

  #choosePort(now: number, insidePort: number): number {
    const { kind, randomPorts } = this.#options;
    const free = (port: number) => !((this.#byPort.get(port)?.expires ?? 0) > now);
    if (kind !== "symmetric" && !randomPorts && free(insidePort)) return insidePort;
    for (let tries = 0; tries < PORTS; tries++) {
      const port = randomPorts ? FIRST_PORT + (this.#random.nextU32() % PORTS) : this.#nextPort;
      if (!randomPorts) this.#nextPort = port === 65535 ? FIRST_PORT : port + 1;
      if (free(port)) return port;
    }
    throw new Error("A simulated NAT has no port left.");
  }
}
