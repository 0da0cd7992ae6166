import type { Crypto } from "../crypto/crypto.ts";
import type { KeyPair, Nonce, PublicKey } from "../crypto/keys.ts";
import { sameBytes } from "../util/bytes.ts";
import { randomBytes } from "../util/random_numbers.ts";
import type { DropReason } from "../wire/drop.ts";
import { ECHO_SIZE } from "../wire/net_crypto/cookie_request.ts";
import type { Cookies } from "./cookies.ts";
import { DataChannel } from "./data_channel.ts";
import { type OpenedHandshake, openCookieResponse, sealCookieRequest, sealHandshake } from "./handshake_crypto.ts";
import type { SessionKeys } from "./ports.ts";

/**
 * What a handshake means to a session. `take`: it makes the keys. `again`: the peer has not heard our answer. `replace`: the
 * peer has begun anew, this session is over. `refuse`: an old one, perhaps played by somebody else.
 */
export type HandshakeVerdict = "take" | "again" | "replace" | "refuse";

export interface KeyAgreementPort {
  readonly crypto: Crypto;
  readonly keys: SessionKeys;
  readonly cookies: Cookies;
}

/** The secrets of one session, from the cookie request to the encrypted channel. */
export class KeyAgreement {
  readonly #port: KeyAgreementPort;
  readonly #peer: PublicKey;
  readonly #dhtPublicKey: PublicKey;
  readonly #sessionKeys: KeyPair;
  /** Counts on over all channels, for no two packets may have the same nonce. */
  readonly #sendNonce: Nonce;
  readonly #echo: Uint8Array;
  #channel: DataChannel | undefined;
  /** Of the cookie in the handshake that made the channel. */
  #cookieMadeAt = Number.NEGATIVE_INFINITY;

  constructor(port: KeyAgreementPort, peer: PublicKey, dhtPublicKey: PublicKey) {
    this.#port = port;
    this.#peer = peer;
    this.#dhtPublicKey = dhtPublicKey;
    this.#sessionKeys = port.crypto.keyPair();
    this.#sendNonce = port.crypto.nonce();
    this.#echo = randomBytes(port.crypto.random, ECHO_SIZE);
  }

  get channel(): DataChannel | undefined {
    return this.#channel;
  }

  /** Undefined when one of the peer's keys is of small order: then nobody will ever answer. */
  cookieRequest(): Uint8Array | undefined {
    const { crypto, keys } = this.#port;
    const shared = keys.dhtShared.get(this.#dhtPublicKey);
    if (shared === undefined || keys.selfShared.get(this.#peer) === undefined) return undefined;
    return sealCookieRequest(crypto, keys, shared, this.#echo);
  }

  /** The cookie in a response to our request, or why it is none. */
  openCookieResponse(packet: Uint8Array): Uint8Array | DropReason {
    const { crypto, keys } = this.#port;
    const shared = keys.dhtShared.get(this.#dhtPublicKey);
    if (shared === undefined) return "weak-key";
    let reason: DropReason = "forged";
    const response = openCookieResponse(crypto, shared, packet, (why) => {
      reason = why;
      return undefined;
    });
    if (response === undefined) return reason;
    return crypto.equal(response.echo, this.#echo) ? response.cookie : "replayed";
  }

  /** Our handshake under a cookie of the peer's. */
  handshake(cookie: Uint8Array): Uint8Array | undefined {
    const { crypto, keys, cookies } = this.#port;
    const shared = keys.selfShared.get(this.#peer);
    if (shared === undefined) return undefined;
    const ownCookie = cookies.make(this.#peer, this.#dhtPublicKey);
    return sealHandshake(crypto, shared, cookie, ownCookie, this.#sendNonce, this.#sessionKeys.publicKey);
  }

  /**
   * `confirmed`: something has been decrypted. `bound`: the handshake came by a path that we know. Goes further than toxcore,
   * which refuses all handshakes from the bound address, and those with the same DHT key from anywhere, while a session is
   * established: one of a new session of the peer's, under a newer cookie, cannot be an old one played again.
   */
  judge(handshake: OpenedHandshake, confirmed: boolean, bound: boolean): HandshakeVerdict {
    const sameDhtKey = sameBytes(handshake.dhtPublicKey, this.#dhtPublicKey);
    if (this.#channel === undefined) return sameDhtKey ? "take" : "replace";
    if (this.#channel.isWith(handshake.sessionPublicKey)) {
      if (confirmed || !bound) return "refuse";
      return this.#channel.isOf(handshake.sessionPublicKey, handshake.baseNonce) ? "again" : "take";
    }
    if (handshake.cookieMadeAt <= this.#cookieMadeAt) return "refuse";
    return !confirmed && sameDhtKey ? "take" : "replace";
  }

  /** Makes the channel. False when the handshake's session key is of small order. */
  take(handshake: OpenedHandshake): boolean {
    const { crypto } = this.#port;
    const shared = crypto.sharedKey(handshake.sessionPublicKey, this.#sessionKeys.secretKey);
    if (shared === undefined) return false;
    this.#channel?.wipe();
    const peerBaseNonce = handshake.baseNonce.slice() as Uint8Array as Nonce;
    this.#channel = new DataChannel(crypto, shared, this.#sendNonce, handshake.sessionPublicKey, peerBaseNonce);
    this.#cookieMadeAt = handshake.cookieMadeAt;
    return true;
  }

  wipe(): void {
    const { crypto } = this.#port;
    this.#channel?.wipe();
    this.#channel = undefined;
    crypto.wipe(this.#sessionKeys.secretKey);
    crypto.wipe(this.#sendNonce);
  }
}
