import type { Endpoint } from "../env/datagram.ts";
import { writeU16 } from "../util/bytes.ts";

/** A node at one of its addresses, as the key of a `KeyMap`: 32 public key ‖ 16 address ‖ 2 port ‖ 2 family. */
export function nodeKey(publicKey: Uint8Array, endpoint: Endpoint): Uint8Array {
  const key = new Uint8Array(52);
  key.set(publicKey);
  key.set(endpoint.address, 32);
  writeU16(key, 48, endpoint.port);
  writeU16(key, 50, endpoint.family);
  return key;
}
