import type { CryptoProvider } from "../../src/crypto/provider.ts";
import type { Clock } from "../../src/env/clock.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";

/** A machine on which a shared key takes 1 ms, in virtual time: its clock, and the provider to be used with it. */
export function dearKeys(virtual: Clock): { clock: Clock; provider: CryptoProvider } {
  let spent = 0;
  return {
    clock: {
      monotonic: () => virtual.monotonic() + spent,
      wall: () => virtual.wall(),
      at: (time, fn) => virtual.at(time - spent, fn),
    },
    provider: {
      ...sodiumProvider,
      sharedKey(out, publicKey, secretKey) {
        spent++;
        return sodiumProvider.sharedKey(out, publicKey, secretKey);
      },
    },
  };
}
