import type { Crypto } from "../crypto/crypto.ts";
import { type Nonce, type PublicKey, SHA512_SIZE, type SharedKey } from "../crypto/keys.ts";
import type { Drop } from "../wire/drop.ts";
import {
  COOKIE_REQUEST_PLAIN_SIZE,
  COOKIE_REQUEST_SIZE,
  type CookieRequestPlain,
  decodeCookieRequest,
  decodeCookieRequestPlain,
  encodeCookieRequest,
  encodeCookieRequestPlain,
} from "../wire/net_crypto/cookie_request.ts";
import {
  COOKIE_RESPONSE_PLAIN_SIZE,
  COOKIE_RESPONSE_SIZE,
  type CookieResponsePlain,
  decodeCookieResponse,
  decodeCookieResponsePlain,
  encodeCookieResponse,
  encodeCookieResponsePlain,
} from "../wire/net_crypto/cookie_response.ts";
import {
  decodeHandshake,
  decodeHandshakePlain,
  encodeHandshake,
  encodeHandshakePlain,
  HANDSHAKE_PLAIN_SIZE,
  HANDSHAKE_SIZE,
} from "../wire/net_crypto/handshake.ts";
import type { Cookies, OpenedCookie } from "./cookies.ts";
import type { SessionKeys } from "./ports.ts";

/** A handshake whose cookie is ours and whose box the peer's long-term key has closed. */
export interface OpenedHandshake {
  readonly peer: PublicKey;
  readonly dhtPublicKey: PublicKey;
  /** When we made the cookie that it bears, in monotonic ms: of two handshakes the later one counts. */
  readonly cookieMadeAt: number;
  readonly sessionPublicKey: PublicKey;
  readonly baseNonce: Nonce;
  /** For our handshake to bear. */
  readonly cookie: Uint8Array;
}

export interface ReceivedCookieRequest extends CookieRequestPlain {
  readonly dhtPublicKey: PublicKey;
  readonly sharedKey: SharedKey;
}

export function sealCookieRequest(crypto: Crypto, keys: SessionKeys, shared: SharedKey, echo: Uint8Array): Uint8Array {
  const plain = new Uint8Array(COOKIE_REQUEST_PLAIN_SIZE);
  encodeCookieRequestPlain(plain, { publicKey: keys.self.publicKey, echo });
  const nonce = crypto.nonce();
  const packet = new Uint8Array(COOKIE_REQUEST_SIZE);
  encodeCookieRequest(packet, { dhtPublicKey: keys.dht.publicKey, nonce, box: crypto.seal(plain, nonce, shared) });
  return packet;
}

export function openCookieRequest(
  keys: SessionKeys,
  packet: Uint8Array,
  drop: Drop,
): ReceivedCookieRequest | undefined {
  const request = decodeCookieRequest(packet, drop);
  if (request === undefined) return undefined;
  const bytes = keys.dhtShared.open(request.dhtPublicKey, request.box, request.nonce);
  if (!(bytes instanceof Uint8Array)) return drop(bytes);
  const plain = decodeCookieRequestPlain(bytes, drop);
  const sharedKey = keys.dhtShared.get(request.dhtPublicKey);
  return plain && sharedKey && { ...plain, dhtPublicKey: request.dhtPublicKey.slice() as PublicKey, sharedKey };
}

export function sealCookieResponse(crypto: Crypto, cookies: Cookies, request: ReceivedCookieRequest): Uint8Array {
  const plain = new Uint8Array(COOKIE_RESPONSE_PLAIN_SIZE);
  const cookie = cookies.make(request.publicKey, request.dhtPublicKey);
  encodeCookieResponsePlain(plain, { cookie, echo: request.echo });
  const nonce = crypto.nonce();
  const packet = new Uint8Array(COOKIE_RESPONSE_SIZE);
  encodeCookieResponse(packet, { nonce, box: crypto.seal(plain, nonce, request.sharedKey) });
  return packet;
}

export function openCookieResponse(
  crypto: Crypto,
  shared: SharedKey,
  packet: Uint8Array,
  drop: Drop,
): CookieResponsePlain | undefined {
  const response = decodeCookieResponse(packet, drop);
  if (response === undefined) return undefined;
  const plain = crypto.open(response.box, response.nonce, shared);
  return plain === undefined ? drop("forged") : decodeCookieResponsePlain(plain, drop);
}

/** `cookie` is the peer's; `ownCookie` ours, for the peer to answer with. */
export function sealHandshake(
  crypto: Crypto,
  shared: SharedKey,
  cookie: Uint8Array,
  ownCookie: Uint8Array,
  baseNonce: Nonce,
  sessionPublicKey: PublicKey,
): Uint8Array {
  const cookieHash = sha512(crypto, cookie);
  const plain = new Uint8Array(HANDSHAKE_PLAIN_SIZE);
  encodeHandshakePlain(plain, { baseNonce, sessionPublicKey, cookieHash, otherCookie: ownCookie });
  const nonce = crypto.nonce();
  const packet = new Uint8Array(HANDSHAKE_SIZE);
  encodeHandshake(packet, { cookie, nonce, box: crypto.seal(plain, nonce, shared) });
  return packet;
}

/**
 * Opens a handshake. `isWelcome` is asked before the dear part, so that cookies for invented people cost an X25519 each only
 * to those who are expected.
 */
export function openHandshake(
  crypto: Crypto,
  keys: SessionKeys,
  cookies: Cookies,
  packet: Uint8Array,
  isWelcome: (bearer: OpenedCookie) => boolean,
  drop: Drop,
): OpenedHandshake | undefined {
  const handshake = decodeHandshake(packet, drop);
  if (handshake === undefined) return undefined;
  const bearer = cookies.open(handshake.cookie, drop);
  if (bearer === undefined) return undefined;
  if (!isWelcome(bearer)) return drop("unsolicited");
  const shared = keys.selfShared.get(bearer.publicKey);
  if (shared === undefined) return drop("weak-key");
  const bytes = crypto.open(handshake.box, handshake.nonce, shared);
  if (bytes === undefined) return drop("forged");
  const plain = decodeHandshakePlain(bytes, drop);
  if (plain === undefined) return undefined;
  if (!crypto.equal(plain.cookieHash, sha512(crypto, handshake.cookie))) return drop("malformed");
  return {
    peer: bearer.publicKey,
    dhtPublicKey: bearer.dhtPublicKey,
    cookieMadeAt: bearer.madeAt,
    sessionPublicKey: plain.sessionPublicKey,
    baseNonce: plain.baseNonce,
    cookie: plain.otherCookie,
  };
}

function sha512(crypto: Crypto, bytes: Uint8Array): Uint8Array {
  const hash = new Uint8Array(SHA512_SIZE);
  crypto.provider.sha512(hash, bytes);
  return hash;
}
