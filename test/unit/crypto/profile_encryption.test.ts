import { describe, expect, it } from "vitest";
import { Crypto } from "../../../src/crypto/crypto.ts";
import { nobleProvider } from "../../../src/crypto/noble.ts";
import {
  isEncryptedProfile,
  PROFILE_ENCRYPTION_EXTRA,
  ProfileKey,
  saltOf,
} from "../../../src/crypto/profile_encryption.ts";
import { sodiumProvider } from "../../../src/node/sodium_provider.ts";
import { SeededRandom } from "../../../src/testing/seeded_random.ts";
import { utf8 } from "../../../src/util/text.ts";
import { golden } from "../../support/golden.ts";

const crypto = new Crypto(sodiumProvider, new SeededRandom("profile"));
const plain = utf8("friends and keys");

describe("an encrypted profile", () => {
  it("opens with its password, and is 80 bytes longer", async () => {
    const key = await ProfileKey.derive(crypto, utf8("open sesame"));
    const bytes = key.encrypt(plain);
    expect(bytes.length).toBe(plain.length + 80);
    expect(PROFILE_ENCRYPTION_EXTRA).toBe(80);
    expect(isEncryptedProfile(bytes)).toBe(true);
    const again = await ProfileKey.derive(crypto, utf8("open sesame"), saltOf(bytes));
    expect(again.decrypt(bytes)).toEqual(plain);
  });

  it("is another one each time, under the same key", async () => {
    const key = await ProfileKey.derive(crypto, utf8("x"));
    expect(key.encrypt(plain)).not.toEqual(key.encrypt(plain));
  });

  it("says that the password is wrong", async () => {
    const bytes = (await ProfileKey.derive(crypto, utf8("right"))).encrypt(plain);
    const wrong = await ProfileKey.derive(crypto, utf8("wrong"), saltOf(bytes));
    expect(() => wrong.decrypt(bytes)).toThrow(expect.objectContaining({ code: "password-wrong" }));
  });

  it("says of what is cut short, or is none, or has another salt, that it is damaged", async () => {
    const key = await ProfileKey.derive(crypto, utf8("x"));
    const bytes = key.encrypt(plain);
    for (let size = 0; size < PROFILE_ENCRYPTION_EXTRA; size++) {
      expect(() => key.decrypt(bytes.subarray(0, size))).toThrow(expect.objectContaining({ code: "profile-damaged" }));
    }
    for (const at of [0, 7, 8, 39]) {
      const spoilt = bytes.slice();
      spoilt[at] = (spoilt[at] ?? 0) ^ 1;
      expect(() => key.decrypt(spoilt)).toThrow(expect.objectContaining({ code: "profile-damaged" }));
    }
  });

  it("is the same by either provider", async () => {
    const salt = new Uint8Array(32).fill(7);
    const noble = new Crypto(nobleProvider, new SeededRandom("other"));
    const bytes = (await ProfileKey.derive(crypto, utf8("pass"), salt)).encrypt(plain);
    expect((await ProfileKey.derive(noble, utf8("pass"), salt)).decrypt(bytes)).toEqual(plain);
  });
});

describe("a profile's key", () => {
  it("encrypts nothing once it is wiped", async () => {
    const key = await ProfileKey.derive(crypto, utf8("x"));
    const bytes = key.encrypt(plain);
    key.wipe();
    expect(() => key.encrypt(plain)).toThrow(expect.objectContaining({ code: "closed" }));
    expect(() => key.decrypt(bytes)).toThrow(expect.objectContaining({ code: "closed" }));
  });

  it("takes no salt that no profile has", async () => {
    const derived = ProfileKey.derive(crypto, utf8("x"), new Uint8Array(24));
    await expect(derived).rejects.toMatchObject({ code: "invalid-argument" });
  });
});

describe("encryptsave", () => {
  it.each([sodiumProvider, nobleProvider])("opens what libtoxcore 0.2.18 has encrypted ($name)", async (provider) => {
    const here = new Crypto(provider, new SeededRandom("golden"));
    const encrypted = golden("alice.encrypted");
    const key = await ProfileKey.derive(here, utf8("correct horse"), saltOf(encrypted));
    expect(key.decrypt(encrypted)).toEqual(golden("alice"));
  });
});
