/**
 * UPnP Internet Gateway Device, version 1 and 2 (Device Architecture 1.1, WANIPConnection:1 and :2): a description in
 * XML at the address that SSDP tells, and actions in SOAP on the control URL of its connection service.
 */
import type { MappedProtocol } from "../../env/port_mapper.ts";
import type { Random } from "../../env/random.ts";
import { parseAddress } from "../../util/endpoint.ts";
import { randomBelow } from "../../util/random_numbers.ts";
import { ask } from "./bounded_http.ts";
import { type Gateway, GatewayError, type Grant } from "./gateway.ts";
import { textOf, textsOf, type XmlText } from "./xml.ts";

const CONNECTION = /^urn:schemas-upnp-org:service:WAN(?:IP|PPP)Connection:[12]$/;
/** A device may have one for each of its uplinks, of which one is in use. */
const MAX_CONNECTIONS = 4;
const CONFLICT = 718;
const PERMANENT_ONLY = 725;
/** Ports to try after the wished one, when others in the network have those. */
const OTHER_PORTS = 3;
const LOWEST_PORT = 1024;

interface Connection {
  readonly service: string;
  readonly control: URL;
}

export interface IgdOptions {
  /** Where its description is: `http`, at an address. Nothing else than that address is ever asked. */
  readonly location: URL;
  /** Ours, as the router sees it. */
  readonly address: string;
  readonly random: Random;
}

/** Reads the description and finds the connection that is in use. Rejects when it is no gateway. */
export async function openIgd(options: IgdOptions, signal: AbortSignal): Promise<Gateway> {
  const { location, address } = options;
  const { status, text } = await ask({ url: location, localAddress: address, signal });
  if (status !== 200) throw new GatewayError(`the router's description has the status ${status}`);
  const connections = connectionsOf(textsOf(text), location);
  let first: Gateway | undefined;
  for (const connection of connections) {
    const gateway = new IgdGateway(options, connection);
    const outer = await gateway.externalAddress(signal).catch(() => undefined);
    if (outer?.some((byte) => byte !== 0)) return gateway;
    if (outer !== undefined) first ??= gateway;
  }
  if (first === undefined) throw new GatewayError("the router offers no connection to the Internet");
  return first;
}

/** The connection services in a description, whose control URLs lie at the described address. */
function connectionsOf(texts: readonly XmlText[], location: URL): Connection[] {
  const base = urlAt(textOf(texts, "urlbase") ?? "", location) ?? location;
  const found: Connection[] = []; // bounded by MAX_CONNECTIONS
  let service: string | undefined;
  for (const { name, text, around } of texts) {
    if (around.at(-1) !== "service") continue;
    if (name === "servicetype") service = CONNECTION.test(text) ? text : undefined;
    const control = name === "controlurl" && service !== undefined ? urlAt(text, base) : undefined;
    if (control === undefined || service === undefined) continue;
    found.push({ service, control });
    if (found.length === MAX_CONNECTIONS) break;
  }
  return found;
}

/** An `http` URL at the same address as `base`; undefined for any other. */
function urlAt(text: string, base: URL): URL | undefined {
  const url = URL.parse(text, base.href);
  return url?.protocol === "http:" && url.hostname === base.hostname ? url : undefined;
}

class ActionError extends GatewayError {
  readonly code: number;

  constructor(action: string, code: number) {
    super(`the router refuses ${action}, with the error ${code}`);
    this.code = code;
  }
}

class IgdGateway implements Gateway {
  readonly kind = "upnp";
  readonly #options: IgdOptions;
  readonly #connection: Connection;
  /** By protocol and port: the external port that was granted, to be asked for again. */
  readonly #granted = new Map<string, number>(); // bounded by the ports that we map
  #permanent = false;

  constructor(options: IgdOptions, connection: Connection) {
    this.#options = options;
    this.#connection = connection;
  }

  async externalAddress(signal: AbortSignal): Promise<Uint8Array> {
    const answer = await this.#run("GetExternalIPAddress", [], signal);
    const address = parseAddress(textOf(answer, "newexternalipaddress") ?? "");
    if (address?.length !== 4) throw new GatewayError("the router does not say its outer address");
    return address;
  }

  async map(protocol: MappedProtocol, port: number, seconds: number, signal: AbortSignal): Promise<Grant> {
    const name = `${protocol} ${port}`;
    let externalPort = this.#granted.get(name) ?? port;
    for (let left = OTHER_PORTS; ; left--) {
      try {
        await this.#add(protocol, port, externalPort, seconds, signal);
        break;
      } catch (error) {
        if (!(error instanceof ActionError) || error.code !== CONFLICT || left === 0) throw error;
        externalPort = LOWEST_PORT + randomBelow(this.#options.random, 65_536 - LOWEST_PORT);
      }
    }
    this.#granted.set(name, externalPort);
    const externalAddress = await this.externalAddress(signal).catch(() => undefined);
    return { externalPort, externalAddress, lifetime: this.#permanent ? 0 : seconds };
  }

  async unmap(protocol: MappedProtocol, _port: number, externalPort: number, signal: AbortSignal): Promise<void> {
    const mapping = { NewRemoteHost: "", NewExternalPort: externalPort, NewProtocol: protocol.toUpperCase() };
    await this.#run("DeletePortMapping", Object.entries(mapping), signal);
  }

  close(): void {}

  async #add(protocol: MappedProtocol, port: number, externalPort: number, seconds: number, signal: AbortSignal) {
    const mapping = {
      NewRemoteHost: "",
      NewExternalPort: externalPort,
      NewProtocol: protocol.toUpperCase(),
      NewInternalPort: port,
      NewInternalClient: this.#options.address,
      NewEnabled: 1,
      NewPortMappingDescription: "Tox",
    };
    const add = (lease: number) =>
      this.#run("AddPortMapping", Object.entries({ ...mapping, NewLeaseDuration: lease }), signal);
    try {
      await add(this.#permanent ? 0 : seconds);
    } catch (error) {
      if (!(error instanceof ActionError) || error.code !== PERMANENT_ONLY || this.#permanent) throw error;
      this.#permanent = true;
      await add(0);
    }
  }

  async #run(action: string, values: readonly (readonly [string, string | number])[], signal: AbortSignal) {
    const { service, control } = this.#connection;
    const body = [
      '<?xml version="1.0"?>',
      '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">',
      `<s:Body><u:${action} xmlns:u="${service}">`,
      ...values.map(([name, value]) => `<${name}>${value}</${name}>`),
      `</u:${action}></s:Body>`,
      "</s:Envelope>",
      "",
    ].join("\r\n");
    const soapAction = `${service}#${action}`;
    const { status, text } = await ask({ url: control, body, soapAction, localAddress: this.#options.address, signal });
    const texts = textsOf(text);
    if (status === 200) return texts;
    const code = Number(textOf(texts, "errorcode"));
    throw new ActionError(action, Number.isInteger(code) ? code : status);
  }
}
