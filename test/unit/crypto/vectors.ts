import { hex } from "../../support/hex.ts";

/** RFC 7748 section 6.1; "Cryptography in NaCl" uses the same keys. */
export const alice = {
  secretKey: hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"),
  publicKey: hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"),
};
export const bob = {
  secretKey: hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"),
  publicKey: hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"),
};

/** X25519 inputs and products of RFC 7748 section 5.2; the second has the unused top bit of the point set. */
export const x25519Vectors = [
  {
    secretKey: hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
    publicKey: hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
    product: hex("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"),
  },
  {
    secretKey: hex("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d"),
    publicKey: hex("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493"),
    product: hex("95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"),
  },
];

/** "Cryptography in NaCl", sections 8 to 10: Alice's box for Bob. */
export const naclBox = {
  x25519: hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"),
  sharedKey: hex("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389"),
  nonce: hex("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37"),
  message: hex(`
    be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffc
    e5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f41db66cce314adb31
    0e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde
    048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f93776384864
    5e0705`),
  boxed: hex(`
    f3ffc7703f9400e52a7dfb4b3d3305d9
    8e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186a
    c0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738
    b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da
    99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74
    e355a5`),
};

/**
 * Every point of small order on the curve and its twist, in each of its encodings: 0, 1, the two of order 8, -1, and
 * the two not reduced. X25519 ignores the top bit, so each has a second form.
 */
const smallOrderPoints = [
  hex("0000000000000000000000000000000000000000000000000000000000000000"),
  hex("0100000000000000000000000000000000000000000000000000000000000000"),
  hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
  hex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
  hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
  hex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
  hex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
];

const withTopBit = (point: Uint8Array): Uint8Array => point.map((byte, i) => (i === 31 ? byte | 0x80 : byte));

export const weakPublicKeys: readonly Uint8Array[] = [...smallOrderPoints, ...smallOrderPoints.map(withTopBit)];
