/** Plain values for the packets of the corpora. */
import type { Nonce, PublicKey } from "../src/crypto/keys.ts";
import type { Endpoint } from "../src/env/datagram.ts";
import type { PackedNode } from "../src/wire/packed_node.ts";

/** Bytes that differ from their neighbours, and from those of other seeds. */
export function bytes(length: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => 1 + ((i * 7 + seed * 31) % 251));
}

export function key(seed: number): PublicKey {
  return bytes(32, seed) as PublicKey;
}

export function nonce(seed: number): Nonce {
  return bytes(24, seed) as Nonce;
}

export const IPV4: Endpoint = { family: 4, address: Uint8Array.of(93, 184, 216, 34), port: 33445 };
export const IPV6: Endpoint = { family: 6, address: bytes(16, 9), port: 443 };

export function node(seed: number, endpoint: Endpoint = IPV4, transport: "udp" | "tcp" = "udp"): PackedNode {
  return { publicKey: key(seed), endpoint, transport };
}

export const FOUR_NODES: readonly PackedNode[] = [node(1), node(2, IPV6), node(3), node(4, IPV6)];
export const MAX_U64 = 0xffff_ffff_ffff_ffffn;

/** What our encoders write for an address in the onion's form and what follows: zeros behind an IPv4 address. */
export function zeroPadded(packet: Uint8Array): Uint8Array {
  const isIpv4 = packet[0] === 2 || packet[0] === 130;
  return isIpv4 ? packet.slice().fill(0, 5, 17) : packet;
}
