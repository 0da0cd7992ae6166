import fc from "fast-check";
import type { Nonce, PublicKey } from "../../src/crypto/keys.ts";
import type { Endpoint } from "../../src/env/datagram.ts";
import type { PackedNode } from "../../src/wire/packed_node.ts";

/** Exactly `length` bytes. */
export const bytesOf = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });

export const arbitraryPublicKey = bytesOf(32) as unknown as fc.Arbitrary<PublicKey>;
export const arbitraryNonce = bytesOf(24) as unknown as fc.Arbitrary<Nonce>;
export const arbitraryU64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
export const arbitraryU32 = fc.integer({ min: 0, max: 0xffff_ffff });
export const arbitraryU16 = fc.integer({ min: 0, max: 0xffff });

export const arbitraryEndpoint: fc.Arbitrary<Endpoint> = fc
  .tuple(fc.oneof(bytesOf(4), bytesOf(16)), fc.integer({ min: 1, max: 65535 }))
  .map(([address, port]) => ({ family: address.length === 4 ? 4 : 6, address, port }));

export const arbitraryPackedNode: fc.Arbitrary<PackedNode> = fc
  .tuple(arbitraryPublicKey, arbitraryEndpoint, fc.constantFrom<"udp" | "tcp">("udp", "tcp"))
  .map(([publicKey, endpoint, transport]) => ({ publicKey, endpoint, transport }));
