import assert from "node:assert/strict";
import { Crypto } from "../../../../src/crypto/crypto.ts";
import { isEncryptedProfile, ProfileKey, saltOf } from "../../../../src/crypto/profile_encryption.ts";
import type { ScryptCost } from "../../../../src/crypto/provider.ts";
import { sodiumProvider } from "../../../../src/node/sodium_provider.ts";
import { SeededRandom } from "../../../../src/testing/index.ts";
import { utf8 } from "../../../../src/util/text.ts";
import type { Stage } from "../stage.ts";

export const tells =
  "A profile under a password opens with that password alone, and whoever opens it is the same person";

export async function play(stage: Stage): Promise<void> {
  const { alice, bob } = await stage.twoFriends();
  const crypto = new Crypto({ ...sodiumProvider, scrypt: quickScrypt }, new SeededRandom("encryptsave"));
  const key = await ProfileKey.derive(crypto, utf8("correct horse"));
  const encrypted = key.encrypt(alice.tox.exportProfile());
  assert.ok(isEncryptedProfile(encrypted));
  await stage.universe.wait(alice.tox.close());

  await stage.refuses("password-missing", () => stage.restart(alice.host, "Alice", { profile: encrypted }));
  const wrong = await ProfileKey.derive(crypto, utf8("correct house"), saltOf(encrypted));
  await stage.refuses("password-wrong", () => wrong.decrypt(encrypted));
  await stage.refuses("profile-damaged", () => key.decrypt(encrypted.subarray(0, 79)));
  const right = await ProfileKey.derive(crypto, utf8("correct horse"), saltOf(encrypted));
  const { tox } = await stage.restart(alice.host, "Alice", { profile: right.decrypt(encrypted) });
  assert.equal(tox.publicKey, alice.tox.publicKey);
  await stage.until("Bob to be there", () => tox.friend(bob.tox.publicKey)?.connection === "udp", 3 * stage.patience);
}

/** Scrypt proper costs a twentieth of a second on purpose; `test/unit/crypto` has it. */
async function quickScrypt(password: Uint8Array, salt: Uint8Array, _cost: ScryptCost): Promise<Uint8Array> {
  const key = new Uint8Array(32);
  sodiumProvider.sha256(key, Uint8Array.of(...password, ...salt));
  return key;
}
