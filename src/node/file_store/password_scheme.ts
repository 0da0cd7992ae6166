import type { Crypto } from "../../crypto/crypto.ts";
import type { PasswordScheme } from "./vault.ts";

/** toxcore's. */
export function passwordScheme(_crypto: Crypto): PasswordScheme {
  return {
    derive: () => Promise.reject(new Error("not yet")),
    saltOf: () => undefined,
  };
}
