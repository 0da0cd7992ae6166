import type { Endpoint, IpFamily } from "../env/datagram.ts";
import { formatAddress, parseAddress } from "../util/endpoint.ts";

const LIMIT = 4096;

/** An endpoint that something came from. It remembers its address in text; for link-local ones that names the interface. */
class HeardEndpoint implements Endpoint {
  readonly family: IpFamily;
  readonly address: Uint8Array;
  readonly port: number;
  readonly #text: string;

  constructor(text: string, address: Uint8Array, port: number) {
    this.family = address.length === 4 ? 4 : 6;
    this.address = address;
    this.port = port;
    this.#text = text;
  }

  static textOf(endpoint: Endpoint): string | undefined {
    return #text in endpoint ? endpoint.#text : undefined;
  }
}

/** The text of the other endpoints' addresses. */
const texts = new WeakMap<Endpoint, string>();

/** The endpoint's address as node takes it, made once for each endpoint object. */
export function addressText(endpoint: Endpoint): string {
  const known = HeardEndpoint.textOf(endpoint) ?? texts.get(endpoint);
  if (known !== undefined) return known;
  const text = formatAddress(endpoint.address);
  texts.set(endpoint, text);
  return text;
}

/** By the address in text: the one endpoint there, or those of several ports. */
type Generation = Map<string, HeardEndpoint | Map<number, HeardEndpoint>>;

/**
 * One endpoint object for each address and port that lately sent something, found without building a string. Two
 * generations: a flood from many addresses forgets the quiet ones, never those that send on.
 */
export class EndpointCache {
  readonly #limit: number;
  #young: Generation = new Map(); // bounded by #limit, over all ports
  #old: Generation = new Map(); // bounded by #limit, over all ports
  #youngSize = 0;

  /** Holds at most twice `limit` endpoints. */
  constructor(limit = LIMIT) {
    this.#limit = limit;
  }

  /** The endpoint of an address as node writes it, or undefined for text that is none. */
  get(address: string, port: number): Endpoint | undefined {
    const young = find(this.#young, address, port);
    if (young !== undefined) return young;
    const endpoint = find(this.#old, address, port) ?? parse(address, port);
    if (endpoint === undefined) return undefined;
    if (this.#youngSize >= this.#limit) this.#turnOver();
    add(this.#young, address, endpoint);
    this.#youngSize++;
    return endpoint;
  }

  #turnOver(): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngSize = 0;
  }
}

function find(generation: Generation, address: string, port: number): HeardEndpoint | undefined {
  const there = generation.get(address);
  if (there instanceof Map) return there.get(port);
  return there?.port === port ? there : undefined;
}

/** `endpoint` is not there yet. */
function add(generation: Generation, address: string, endpoint: HeardEndpoint): void {
  const there = generation.get(address);
  if (there === undefined) generation.set(address, endpoint);
  else if (there instanceof Map) there.set(endpoint.port, endpoint);
  else generation.set(address, new Map([there, endpoint].map((one) => [one.port, one])));
}

/** The endpoint at an address in text, whose zone (`%eth0`) it keeps; undefined for text that is none. */
export function endpointOf(text: string, port: number): Endpoint | undefined {
  return parse(text, port);
}

function parse(text: string, port: number): HeardEndpoint | undefined {
  const zoneAt = text.indexOf("%");
  const address = parseAddress(zoneAt < 0 ? text : text.slice(0, zoneAt));
  return address && new HeardEndpoint(text, address, port);
}
