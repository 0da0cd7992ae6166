import type { CryptoProvider } from "../crypto/provider.ts";

/** libsodium where its native binary loads, otherwise the same in JavaScript, which is slower but needs nothing. */
export async function loadCryptoProvider(): Promise<CryptoProvider> {
  try {
    return (await import("./sodium_provider.ts")).sodiumProvider;
  } catch {
    return (await import("../crypto/noble.ts")).nobleProvider;
  }
}
