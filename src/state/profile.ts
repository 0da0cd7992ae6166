import type { Crypto } from "../crypto/crypto.ts";
import type { KeyPair } from "../crypto/keys.ts";
import type { Store } from "../env/store.ts";
import type { KnownFriend } from "../friend/known_friend.ts";
import { sameBytes } from "../util/bytes.ts";
import { ToxError } from "../util/tox_error.ts";
import type { SavedFriend } from "./saved_friend.ts";
import { decodeSavedata, type Savedata } from "./savedata.ts";
import { damaged } from "./sections.ts";

/** The store's record that is a `.tox` file. */
export const PROFILE_RECORD = "profile";

/**
 * The profile in these bytes. Throws `profile-damaged` also where the two keys do not belong together, and `password-missing`.
 */
export function readProfile(bytes: Uint8Array, crypto: Crypto): Savedata {
  const data = decodeSavedata(bytes);
  if (sameBytes(crypto.keyPairOf(data.secretKey).publicKey, data.publicKey)) return data;
  crypto.wipe(data.secretKey);
  throw damaged("its public key is not that of its secret key");
}

/**
 * The profile in the store, if there is one. Rejects as `readProfile` throws, and says where the version before is, if
 * that is whole.
 */
export async function loadProfile(store: Store, crypto: Crypto): Promise<Savedata | undefined> {
  const bytes = await store.read(PROFILE_RECORD);
  if (bytes === undefined) return undefined;
  try {
    return readProfile(bytes, crypto);
  } catch (error) {
    if (!(error instanceof ToxError) || error.code !== "profile-damaged") throw error;
    const where = store.place === undefined ? "" : `${store.place}: `;
    const previous = await wholePrevious(store, crypto);
    const advice = previous === undefined ? "" : ` The version before is whole: ${previous}`;
    throw new ToxError(error.code, `${where}${error.message}${advice}`, { cause: error });
  }
}

async function wholePrevious(store: Store, crypto: Crypto): Promise<string | undefined> {
  const previous = await store.previous?.(PROFILE_RECORD).catch(() => undefined);
  if (previous === undefined) return undefined;
  try {
    crypto.wipe(readProfile(previous.bytes, crypto).secretKey);
    return previous.place;
  } catch {
    return undefined;
  }
}

export function keysOf({ publicKey, secretKey }: Savedata): KeyPair {
  return { publicKey, secretKey };
}

export function knownFriend(saved: SavedFriend): KnownFriend {
  if (saved.kind === "confirmed") return saved;
  const { publicKey, nospam, message, sent } = saved;
  const nothing = new Uint8Array(0);
  return {
    ...{ publicKey, name: nothing, statusMessage: nothing, status: "none", lastOnline: undefined },
    request: { nospam, message, sent },
  };
}

export function savedFriend(known: KnownFriend): SavedFriend {
  const { publicKey, name, statusMessage, status, lastOnline, request } = known;
  if (request) return { kind: "asked", publicKey, ...request };
  return { kind: "confirmed", publicKey, name, statusMessage, status, lastOnline };
}
