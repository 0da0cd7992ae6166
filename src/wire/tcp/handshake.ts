/**
 * The handshake of a TCP relay connection. spec.md "TCP server: encrypted handshake", c-toxcore `TCP_common.h`,
 * `TCP_server.c` (handle_tcp_handshake). Against the spec, each side encrypts with the base nonce in its *own* handshake.
 *
 *   request, client to relay, 128 bytes:      response, 96 bytes:
 *   32   client's public key                  24   nonce
 *   24   nonce                                72   box of the plain
 *   72   box of the plain
 *
 *   plain, 56 bytes, boxed under the client's key above and the relay's key:
 *   32   public key of the session
 *   24   base nonce of the sender
 */
import { MAC_SIZE, NONCE_SIZE, type Nonce, PUBLIC_KEY_SIZE, type PublicKey } from "../../crypto/keys.ts";
import type { Drop } from "../drop.ts";

export const TCP_HANDSHAKE_PLAIN_SIZE = PUBLIC_KEY_SIZE + NONCE_SIZE;
export const TCP_HANDSHAKE_RESPONSE_SIZE = NONCE_SIZE + TCP_HANDSHAKE_PLAIN_SIZE + MAC_SIZE;
export const TCP_HANDSHAKE_REQUEST_SIZE = PUBLIC_KEY_SIZE + TCP_HANDSHAKE_RESPONSE_SIZE;

export interface TcpHandshakeResponse {
  readonly nonce: Nonce;
  readonly box: Uint8Array;
}

export interface TcpHandshakeRequest extends TcpHandshakeResponse {
  readonly publicKey: PublicKey;
}

export interface TcpHandshakePlain {
  readonly sessionPublicKey: PublicKey;
  readonly baseNonce: Nonce;
}

export function encodeTcpHandshakeRequest(into: Uint8Array, request: TcpHandshakeRequest): number {
  into.set(request.publicKey);
  into.set(request.nonce, PUBLIC_KEY_SIZE);
  into.set(request.box, PUBLIC_KEY_SIZE + NONCE_SIZE);
  return TCP_HANDSHAKE_REQUEST_SIZE;
}

/** The fields are views of `bytes`. */
export function decodeTcpHandshakeRequest(bytes: Uint8Array, drop: Drop): TcpHandshakeRequest | undefined {
  if (bytes.length < TCP_HANDSHAKE_REQUEST_SIZE) return drop("truncated");
  if (bytes.length > TCP_HANDSHAKE_REQUEST_SIZE) return drop("oversized");
  return {
    publicKey: bytes.subarray(0, PUBLIC_KEY_SIZE) as PublicKey,
    nonce: bytes.subarray(PUBLIC_KEY_SIZE, PUBLIC_KEY_SIZE + NONCE_SIZE) as Nonce,
    box: bytes.subarray(PUBLIC_KEY_SIZE + NONCE_SIZE),
  };
}

export function encodeTcpHandshakeResponse(into: Uint8Array, response: TcpHandshakeResponse): number {
  into.set(response.nonce);
  into.set(response.box, NONCE_SIZE);
  return TCP_HANDSHAKE_RESPONSE_SIZE;
}

/** The fields are views of `bytes`. */
export function decodeTcpHandshakeResponse(bytes: Uint8Array, drop: Drop): TcpHandshakeResponse | undefined {
  if (bytes.length < TCP_HANDSHAKE_RESPONSE_SIZE) return drop("truncated");
  if (bytes.length > TCP_HANDSHAKE_RESPONSE_SIZE) return drop("oversized");
  return { nonce: bytes.subarray(0, NONCE_SIZE) as Nonce, box: bytes.subarray(NONCE_SIZE) };
}

export function encodeTcpHandshakePlain(into: Uint8Array, plain: TcpHandshakePlain): number {
  into.set(plain.sessionPublicKey);
  into.set(plain.baseNonce, PUBLIC_KEY_SIZE);
  return TCP_HANDSHAKE_PLAIN_SIZE;
}

/** The fields are copies, since they are needed longer than the packet. */
export function decodeTcpHandshakePlain(bytes: Uint8Array, drop: Drop): TcpHandshakePlain | undefined {
  if (bytes.length < TCP_HANDSHAKE_PLAIN_SIZE) return drop("truncated");
  if (bytes.length > TCP_HANDSHAKE_PLAIN_SIZE) return drop("oversized");
  return {
    sessionPublicKey: bytes.slice(0, PUBLIC_KEY_SIZE) as PublicKey,
    baseNonce: bytes.slice(PUBLIC_KEY_SIZE) as Nonce,
  };
}
