/**
 * LanDiscovery (0x21), broadcast in a local network. spec.md "LAN Discovery", c-toxcore `LAN_discovery.c`.
 *
 *   1    0x21
 *   32   sender's DHT public key
 */
import { PUBLIC_KEY_SIZE, type PublicKey } from "../../crypto/keys.ts";
import type { Drop } from "../drop.ts";
import { PacketId } from "../packet_ids.ts";

export interface LanDiscovery {
  readonly publicKey: PublicKey;
}

export const LAN_DISCOVERY_SIZE = 1 + PUBLIC_KEY_SIZE;

export function encodeLanDiscovery(into: Uint8Array, packet: LanDiscovery): number {
  into[0] = PacketId.LanDiscovery;
  into.set(packet.publicKey, 1);
  return LAN_DISCOVERY_SIZE;
}

export function decodeLanDiscovery(bytes: Uint8Array, drop: Drop): LanDiscovery | undefined {
  if (bytes.length < LAN_DISCOVERY_SIZE) return drop("truncated");
  if (bytes.length > LAN_DISCOVERY_SIZE) return drop("oversized");
  if (bytes[0] !== PacketId.LanDiscovery) return drop("malformed");
  return { publicKey: bytes.slice(1) as PublicKey };
}
