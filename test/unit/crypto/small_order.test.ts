import { expect, it } from "vitest";
import { Crypto } from "../../../src/crypto/crypto.ts";
import { nobleProvider } from "../../../src/crypto/noble.ts";
import { isOfSmallOrder } from "../../../src/crypto/small_order.ts";
import { sodiumProvider } from "../../../src/node/sodium_provider.ts";
import { SeededRandom } from "../../../src/testing/seeded_random.ts";
import { isCanonicalKey } from "../../../src/wire/friend/tox_id.ts";
import { weakPublicKeys } from "./vectors.ts";

it.each([sodiumProvider, nobleProvider])(
  "a key is of small order where $name makes no shared key with it",
  (provider) => {
    const crypto = new Crypto(provider, new SeededRandom("small order"));
    const { secretKey, publicKey } = crypto.keyPair();
    const beside = weakPublicKeys.map((key) => key.map((byte, i) => (i === 15 ? byte ^ 1 : byte)));
    for (const key of [...weakPublicKeys.filter(isCanonicalKey), ...beside.filter(isCanonicalKey), publicKey]) {
      expect(isOfSmallOrder(key)).toBe(crypto.sharedKey(key, secretKey) === undefined);
    }
    expect(weakPublicKeys.filter(isOfSmallOrder)).toHaveLength(7);
  },
);
