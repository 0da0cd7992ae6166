import { ToxError } from "../util/tox_error.ts";

/** A proxy that TCP connections go through. */
export interface ProxyAddress {
  readonly kind: "socks5" | "http";
  /** A name or an address without brackets. A name is looked up by this machine: prefer an address. */
  readonly host: string;
  readonly port: number;
  readonly login?: { readonly user: string; readonly password: string };
}

/**
 * Reads `socks5://[user:password@]host:port`, the same with `socks5h`, or with `http`. Throws a `ToxError`
 * `invalid-argument` that names what is wrong; the password is never part of it.
 */
export function parseProxyUrl(text: string): ProxyAddress {
  const parts = /^([a-z0-9+.-]+):\/\/(?:([^/?#]*)@)?(\[[^\]]*\]|[^:/?#@[\]]*)(?::([^/?#@]*))?\/?$/i.exec(text);
  if (parts === null) throw wrong("write it as socks5://host:port or http://host:port");
  const [, scheme = "", login, host = "", port] = parts;
  const kind = kindOf(scheme.toLowerCase());
  if (host === "" || host === "[]") throw wrong("the host is missing");
  if (host.startsWith("[") && !URL.canParse(`http://${host}`)) throw wrong("there is no IPv6 address in the brackets");
  if (port === undefined || port === "") throw wrong("the port is missing");
  const number = Number(port);
  if (!/^\d+$/.test(port) || number < 1 || number > 65535) throw wrong("the port is not a number from 1 to 65535");
  const proxy = { kind, host: host.replace(/^\[|\]$/g, ""), port: number };
  return login === undefined ? proxy : { ...proxy, login: parseLogin(login, kind) };
}

function kindOf(scheme: string): ProxyAddress["kind"] {
  if (scheme === "socks5" || scheme === "socks5h") return "socks5";
  if (scheme === "http") return "http";
  throw wrong("it starts with neither socks5:// nor socks5h:// nor http://");
}

function parseLogin(text: string, kind: ProxyAddress["kind"]): { user: string; password: string } {
  const colon = text.indexOf(":");
  const user = decoded(colon < 0 ? text : text.slice(0, colon));
  const password = decoded(colon < 0 ? "" : text.slice(colon + 1));
  if (user === "") throw wrong("the user's name before the password is missing");
  if (kind === "http" && user.includes(":")) throw wrong("a user's name for HTTP cannot have a colon");
  const tooLong = (part: string) => new TextEncoder().encode(part).length > 255; // SOCKS5 has one byte for it
  if (tooLong(user) || tooLong(password)) throw wrong("the user's name and the password have at most 255 bytes");
  return { user, password };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong("a % in the user's name or password is written as %25");
  }
}

function wrong(what: string): ToxError {
  return new ToxError("invalid-argument", `The proxy's URL cannot be used: ${what}.`);
}
