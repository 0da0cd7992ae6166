import type { Endpoint } from "../env/datagram.ts";
import { formatAddress, makeEndpoint, parseAddress } from "../util/endpoint.ts";

const LIMIT = 4096;

/** The address as node takes it; for link-local ones it names the interface. */
const texts = new WeakMap<Endpoint, string>();

/** The text of the endpoint's address, made once for each endpoint object. */
export function addressText(endpoint: Endpoint): string {
  let text = texts.get(endpoint);
  if (text === undefined) {
    text = formatAddress(endpoint.address);
    texts.set(endpoint, text);
  }
  return text;
}

/**
 * One endpoint object for each address and port that lately sent something, found without building a string. Two
 * generations: a flood from many addresses forgets the quiet ones, never those that send on.
 */
export class EndpointCache {
  readonly #limit: number;
  #young = new Map<string, Map<number, Endpoint>>(); // bounded by #limit, over all ports
  #old = new Map<string, Map<number, Endpoint>>(); // bounded by #limit, over all ports
  #youngSize = 0;

  /** Holds at most twice `limit` endpoints. */
  constructor(limit = LIMIT) {
    this.#limit = limit;
  }

  /** The endpoint of an address as node writes it, or undefined for text that is none. */
  get(address: string, port: number): Endpoint | undefined {
    const young = this.#young.get(address)?.get(port);
    if (young !== undefined) return young;
    const endpoint = this.#old.get(address)?.get(port) ?? parse(address, port);
    if (endpoint === undefined) return undefined;
    if (this.#youngSize >= this.#limit) this.#turnOver();
    const ports = this.#young.get(address);
    if (ports) ports.set(port, endpoint);
    else this.#young.set(address, new Map([[port, endpoint]]));
    this.#youngSize++;
    return endpoint;
  }

  #turnOver(): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngSize = 0;
  }
}

function parse(address: string, port: number): Endpoint | undefined {
  const zoneAt = address.indexOf("%");
  const bytes = parseAddress(zoneAt < 0 ? address : address.slice(0, zoneAt));
  if (bytes === undefined) return undefined;
  const endpoint = makeEndpoint(bytes, port);
  texts.set(endpoint, address);
  return endpoint;
}
