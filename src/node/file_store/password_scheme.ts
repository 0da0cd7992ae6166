import type { Crypto } from "../../crypto/crypto.ts";
import { isEncryptedProfile, ProfileKey, saltOf } from "../../crypto/profile_encryption.ts";
import type { PasswordScheme } from "./vault.ts";

/** toxcore's. */
export function passwordScheme(crypto: Crypto): PasswordScheme {
  return {
    derive: (password, salt) => ProfileKey.derive(crypto, password, salt),
    saltOf: (bytes) => (isEncryptedProfile(bytes) ? saltOf(bytes) : undefined),
  };
}
