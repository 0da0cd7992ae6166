import { fromHex, sameBytes } from "../util/bytes.ts";

/** The points of Curve25519 whose order is 1, 2, 4 or 8, each in every way that 255 bits write it. RFC 7748 section 6.1. */
const SMALL_ORDER = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].map((hex) => fromHex(hex) ?? new Uint8Array(0));

/**
 * Whether everybody shares the same secret with this key, so that nothing is kept secret with it. Tells the same as an
 * agreement that fails, for a thousandth of its price; of keys whose top bit is not set.
 */
export function isOfSmallOrder(publicKey: Uint8Array): boolean {
  return SMALL_ORDER.some((point) => sameBytes(point, publicKey));
}
