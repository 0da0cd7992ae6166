import type { Crypto } from "../crypto/crypto.ts";
import type { KeyPair, SharedKey } from "../crypto/keys.ts";
import { ignoreDrop } from "../wire/drop.ts";
import {
  decodeTcpHandshakePlain,
  encodeTcpHandshakePlain,
  encodeTcpHandshakeRequest,
  encodeTcpHandshakeResponse,
  TCP_HANDSHAKE_PLAIN_SIZE,
  TCP_HANDSHAKE_REQUEST_SIZE,
  TCP_HANDSHAKE_RESPONSE_SIZE,
  type TcpHandshakePlain,
} from "../wire/tcp/handshake.ts";
import type { StreamKeys } from "./secure_stream.ts";

/** One side's part of a connection's keys: new for each connection, so that nobody opens it later. */
export class SessionKeys {
  readonly #crypto: Crypto;
  readonly #keyPair: KeyPair;
  readonly #plain: TcpHandshakePlain;

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
    this.#keyPair = crypto.keyPair();
    this.#plain = { sessionPublicKey: this.#keyPair.publicKey, baseNonce: crypto.nonce() };
  }

  /** Our handshake as the client, under the key of ours and the relay's. */
  request(own: KeyPair, key: SharedKey): Uint8Array {
    const bytes = new Uint8Array(TCP_HANDSHAKE_REQUEST_SIZE);
    encodeTcpHandshakeRequest(bytes, { publicKey: own.publicKey, ...this.#seal(key) });
    return bytes;
  }

  /** Our handshake as the relay. */
  response(key: SharedKey): Uint8Array {
    const bytes = new Uint8Array(TCP_HANDSHAKE_RESPONSE_SIZE);
    encodeTcpHandshakeResponse(bytes, this.#seal(key));
    return bytes;
  }

  /** Ends it with what the other side's handshake holds; undefined when that is none. Our secret is wiped. */
  agree(otherPlain: Uint8Array): StreamKeys | undefined {
    const other = decodeTcpHandshakePlain(otherPlain, ignoreDrop);
    const sharedKey = other && this.#crypto.sharedKey(other.sessionPublicKey, this.#keyPair.secretKey);
    this.wipe();
    if (other === undefined || sharedKey === undefined) return undefined;
    // Against the spec: each side encrypts with the base nonce of its own handshake.
    return { sharedKey, sendNonce: this.#plain.baseNonce, receiveNonce: other.baseNonce };
  }

  wipe(): void {
    this.#crypto.wipe(this.#keyPair.secretKey);
  }

  #seal(key: SharedKey) {
    const plain = new Uint8Array(TCP_HANDSHAKE_PLAIN_SIZE);
    encodeTcpHandshakePlain(plain, this.#plain);
    const nonce = this.#crypto.nonce();
    return { nonce, box: this.#crypto.seal(plain, nonce, key) };
  }
}
