/**
 * DhtRequest (0x20): a packet for one DHT key, passed on by whoever knows its owner. spec.md "DHT Request Packets",
 * c-toxcore `DHT.c` (create_request, handle_request, cryptopacket_handle).
 *
 *   1    0x20
 *   32   receiver's DHT public key
 *   32   sender's DHT public key
 *   24   nonce
 *   17+  box of: 1 request id ‖ payload
 */
import { MAC_SIZE, NONCE_SIZE, type Nonce, PUBLIC_KEY_SIZE, type PublicKey } from "../../crypto/keys.ts";
import type { Drop } from "../drop.ts";
import { PacketId } from "../packet_ids.ts";

export interface DhtRequest {
  readonly receiver: PublicKey;
  readonly sender: PublicKey;
  readonly nonce: Nonce;
  readonly box: Uint8Array;
}

/** The ids inside. */
export const DhtRequestId = { FriendRequest: 32, DhtPublicKey: 156, NatPing: 254 } as const;

const SENDER_AT = 1 + PUBLIC_KEY_SIZE;
const NONCE_AT = SENDER_AT + PUBLIC_KEY_SIZE;
export const DHT_REQUEST_HEADER_SIZE = NONCE_AT + NONCE_SIZE;
/** toxcore's MAX_CRYPTO_REQUEST_SIZE: the longest that a receiver takes. */
export const MAX_DHT_REQUEST_SIZE = 1024;
/** The longest that toxcore passes on. */
export const MAX_ROUTED_DHT_REQUEST_SIZE = MAX_DHT_REQUEST_SIZE + MAC_SIZE;
export const MAX_DHT_REQUEST_PAYLOAD_SIZE = MAX_DHT_REQUEST_SIZE - DHT_REQUEST_HEADER_SIZE - MAC_SIZE - 1;

export function encodeDhtRequest(into: Uint8Array, request: DhtRequest): number {
  into[0] = PacketId.DhtRequest;
  into.set(request.receiver, 1);
  into.set(request.sender, SENDER_AT);
  into.set(request.nonce, NONCE_AT);
  into.set(request.box, DHT_REQUEST_HEADER_SIZE);
  return DHT_REQUEST_HEADER_SIZE + request.box.length;
}

/** The fields are views of `bytes`. */
export function decodeDhtRequest(bytes: Uint8Array, drop: Drop): DhtRequest | undefined {
  if (bytes.length < DHT_REQUEST_HEADER_SIZE + MAC_SIZE + 1) return drop("truncated");
  if (bytes.length > MAX_ROUTED_DHT_REQUEST_SIZE) return drop("oversized");
  if (bytes[0] !== PacketId.DhtRequest) return drop("malformed");
  return {
    receiver: bytes.subarray(1, SENDER_AT) as PublicKey,
    sender: bytes.subarray(SENDER_AT, NONCE_AT) as PublicKey,
    nonce: bytes.subarray(NONCE_AT, DHT_REQUEST_HEADER_SIZE) as Nonce,
    box: bytes.subarray(DHT_REQUEST_HEADER_SIZE),
  };
}
