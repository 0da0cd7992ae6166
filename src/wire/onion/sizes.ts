/** Sizes that the onion packets share, in bytes. c-toxcore `onion.h`, `onion_announce.h`; spec.md "Onion". */
import { MAC_SIZE, NONCE_SIZE, PUBLIC_KEY_SIZE } from "../../crypto/keys.ts";
import { ONION_IP_PORT_SIZE } from "../ip_port.ts";

/** The longest onion packet that a relay takes or makes, at any hop. */
export const MAX_ONION_PACKET_SIZE = 1400;
export const ONION_PATH_LENGTH = 3;

/** What every hop adds to the way back: nonce ‖ box of the address that the request came from and of the sendback so far. */
const SENDBACK_STEP = NONCE_SIZE + MAC_SIZE + ONION_IP_PORT_SIZE;

/** How many hops' addresses a sendback holds: it grows by one at each hop out and shrinks by one at each hop back. */
export type SendbackDepth = 1 | 2 | 3;
/** 59, 118 or 177. */
export function sendbackSize(depth: 0 | SendbackDepth): number {
  return depth * SENDBACK_STEP;
}
/** What stands behind every request that the third hop delivers: 177. */
export const SENDBACK_SIZE = 3 * SENDBACK_STEP;

/** What one layer of encryption adds to a request: the next hop's address, the key for it, and the tag. */
export const REQUEST_LAYER_SIZE = ONION_IP_PORT_SIZE + PUBLIC_KEY_SIZE + MAC_SIZE;
/** What stands before the innermost data in the packet that leaves the client. */
export const ONION_REQUEST_OVERHEAD = 1 + NONCE_SIZE + ONION_PATH_LENGTH * REQUEST_LAYER_SIZE;

/** The longest packet that can be sent through a path: 1174. */
export const MAX_ONION_REQUEST_DATA_SIZE = MAX_ONION_PACKET_SIZE - ONION_REQUEST_OVERHEAD;
/** The longest packet that can come back through a path: 1222. */
export const MAX_ONION_RESPONSE_DATA_SIZE = MAX_ONION_PACKET_SIZE - 1 - SENDBACK_SIZE;

export const PING_ID_SIZE = 32;
/** What an announce request carries to be recognised by in the response. */
export const SENDBACK_DATA_SIZE = 8;
/** The nodes that a packet of the onion names at most. */
export const MAX_ONION_NODES = 4;
