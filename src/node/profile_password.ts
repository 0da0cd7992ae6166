import { Crypto } from "../crypto/crypto.ts";
import { ProfileKey, saltOf } from "../crypto/profile_encryption.ts";
import { utf8 } from "../util/text.ts";
import { loadCryptoProvider } from "./crypto_loader.ts";
import { nodeRandom } from "./random.ts";

/** A plain profile, encrypted as toxcore does. `fileStore` does it by itself. */
export async function encryptProfile(plain: Uint8Array, password: string | Uint8Array): Promise<Uint8Array> {
  const key = await keyOf(password);
  try {
    return key.encrypt(plain);
  } finally {
    key.wipe();
  }
}

/** The plain profile in an encrypted one. Rejects with `password-wrong` or `profile-damaged`. */
export async function decryptProfile(bytes: Uint8Array, password: string | Uint8Array): Promise<Uint8Array> {
  const key = await keyOf(password, saltOf(bytes));
  try {
    return key.decrypt(bytes);
  } finally {
    key.wipe();
  }
}

async function keyOf(password: string | Uint8Array, salt?: Uint8Array): Promise<ProfileKey> {
  const crypto = new Crypto(await loadCryptoProvider(), nodeRandom);
  return ProfileKey.derive(crypto, typeof password === "string" ? utf8(password) : password, salt);
}
