import type { Endpoint } from "../env/datagram.ts";
import { formatAddress, parseAddress } from "../util/endpoint.ts";
import { KeyMap } from "../util/key_map.ts";
import { type NatKind, type NatMapping, NatTable } from "./nat_table.ts";
import type { SeededRandom } from "./seeded_random.ts";
import type { Timeline } from "./timeline.ts";

export type Protocol = "udp" | "tcp";

export interface NatOptions {
  readonly kind: NatKind;
  /** Whether hosts inside reach one another by their addresses outside; false when left out. */
  readonly hairpin?: boolean;
  /** Ports outside are drawn at random; else the port inside is kept where it is free, or, with `symmetric`, they count up. */
  readonly randomPorts?: boolean;
  /** How long a mapping for UDP lasts after the last datagram from inside, in ms; 120,000 when left out. */
  readonly mappingLifetime?: number;
  /** Another NAT that this one is behind; the Internet when left out. */
  readonly behind?: SimNat;
  /** The address outside, in text. When left out, a public one, or a free one of the NAT it is behind. */
  readonly address?: string;
  /** The /24 inside, in text: `192.168.1.0`. When left out, one that no other NAT has: 192.168.x.0, or 10.x.y.0. */
  readonly subnet?: string;
}

/** Whatever has an address in a realm. */
export interface NetworkNode {
  readonly name: string;
}

/** Where an address means something: the Internet, or the inside of a NAT. */
export class Realm {
  /** The way out; undefined for the Internet. */
  readonly nat: SimNat | undefined;
  readonly #nodes = new KeyMap<NetworkNode>(); // by address; bounded by the test

  constructor(nat?: SimNat) {
    this.nat = nat;
  }

  find(address: Uint8Array): NetworkNode | undefined {
    return this.#nodes.get(address);
  }

  add(address: Uint8Array, node: NetworkNode): void {
    if (this.#nodes.has(address)) throw new Error(`Two hosts have the address ${formatAddress(address)}.`);
    this.#nodes.set(address, node);
  }

  remove(address: Uint8Array): void {
    this.#nodes.delete(address);
  }
}

export interface NatWorld {
  readonly timeline: Timeline;
  readonly random: SeededRandom;
  /** Where the address outside is. */
  readonly outside: Realm;
  readonly address: Uint8Array;
  /** The first address of the /24 inside. */
  readonly subnet: Uint8Array;
  intern(address: Uint8Array, port: number): Endpoint;
  /** The address outside is another now. */
  moved(address: Uint8Array): void;
}

const UDP_LIFETIME = 120_000;
/** RFC 5382: at least two hours and four minutes. */
const TCP_LIFETIME = 7_440_000;

/**
 * A router that translates addresses (IPv4), between the hosts `behind` it and the Internet, or another NAT. Streams go out
 * through it and none comes in. What fits no mapping vanishes without a word.
 */
export class SimNat implements NetworkNode {
  readonly name: string;
  readonly kind: NatKind;
  readonly hairpin: boolean;
  readonly inside: Realm = new Realm(this);
  readonly outside: Realm;
  readonly #world: NatWorld;
  readonly #udp: NatTable;
  readonly #tcp: NatTable;
  #address: Uint8Array;
  #lastHost = 1; // .1 is the router's own

  constructor(name: string, options: NatOptions, world: NatWorld) {
    const { kind, hairpin = false, randomPorts = false, mappingLifetime = UDP_LIFETIME } = options;
    this.name = name;
    this.kind = kind;
    this.hairpin = hairpin;
    this.outside = world.outside;
    this.#world = world;
    const table = { kind, randomPorts };
    this.#udp = new NatTable({ ...table, lifetime: mappingLifetime, strict: false }, world.random.fork("udp"));
    this.#tcp = new NatTable({ ...table, lifetime: TCP_LIFETIME, strict: true }, world.random.fork("tcp"));
    this.#address = world.address;
    world.outside.add(world.address, this);
  }

  /** The address outside, in text. */
  get address(): string {
    return formatAddress(this.#address);
  }

  /** The address outside. */
  get addressBytes(): Uint8Array {
    return this.#address;
  }

  /** What lives of the mappings for a protocol. */
  mappings(protocol: Protocol = "udp"): readonly NatMapping[] {
    return this.#table(protocol).mappings(this.#world.timeline.now);
  }

  /** Where a port outside is reached. */
  endpoint(port: number): Endpoint {
    return this.#world.intern(this.#address, port);
  }

  /** The router starts anew: all mappings are gone, those of streams too. */
  forget(): void {
    this.#udp.forget();
    this.#tcp.forget();
  }

  /** The provider gives another address outside; all mappings are gone. */
  changeAddress(text: string): void {
    const address = parseAddress(text);
    if (address?.length !== 4) throw new Error(`${text} is no IPv4 address.`);
    this.outside.add(address, this);
    this.outside.remove(this.#address);
    this.#address = address;
    this.forget();
    this.#world.moved(address);
  }

  /** An address inside that nobody has. */
  freeAddress(): Uint8Array {
    const address = this.#world.subnet.slice();
    do {
      if (this.#lastHost === 254) throw new Error(`There is no address left behind ${this.name}.`);
      address[3] = ++this.#lastHost;
    } while (this.inside.find(address) !== undefined);
    return address;
  }

  /** What the source of something sent from inside becomes. `opens`: it may make a mapping. */
  outbound(protocol: Protocol, from: Endpoint, to: Endpoint, opens: boolean): Endpoint | undefined {
    const port = this.#table(protocol).outbound(this.#world.timeline.now, from, to, opens);
    return port === undefined ? undefined : this.endpoint(port);
  }

  /** Where something from outside to one of our ports goes, or why nowhere. */
  inbound(protocol: Protocol, port: number, from: Endpoint): Endpoint | "no-mapping" | "nat-filtered" {
    return this.#table(protocol).inbound(this.#world.timeline.now, port, from);
  }

  /** Whom a port outside stands for now. */
  insideOf(port: number, protocol: Protocol = "udp"): Endpoint | undefined {
    return this.#table(protocol).insideOf(this.#world.timeline.now, port);
  }

  #table(protocol: Protocol): NatTable {
    return protocol === "udp" ? this.#udp : this.#tcp;
  }
}
