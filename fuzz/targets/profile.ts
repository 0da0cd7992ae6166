/**
 * A `.tox` file after whatever happened to it, or as somebody made it who means harm. The first byte says which: 0 plain as
 * it is, 1 plain with keys that belong together, so that an instance starts from it, 2 encrypted.
 */
import { isDeepStrictEqual } from "node:util";
import { Tox, ToxError } from "../../src/core.ts";
import { Crypto } from "../../src/crypto/crypto.ts";
import { asSecretKey } from "../../src/crypto/keys.ts";
import { nobleProvider } from "../../src/crypto/noble.ts";
import { ProfileKey, saltOf } from "../../src/crypto/profile_encryption.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import { readProfile } from "../../src/state/profile.ts";
import type { SavedFriend } from "../../src/state/saved_friend.ts";
import { decodeSavedata, encodeSavedata, type Savedata } from "../../src/state/savedata.ts";
import { SeededRandom } from "../../src/testing/seeded_random.ts";
import { Universe } from "../../src/testing/universe.ts";
import { concatBytes, sameBytes } from "../../src/util/bytes.ts";
import { atMost, broken } from "../codec.ts";
import { bytes, FOUR_NODES, IPV6, key, node } from "../samples.ts";

const SELF = new Crypto(sodiumProvider, new SeededRandom("profile")).keyPairOf(asSecretKey(bytes(32, 77)));
/** A minute is short for what an instance does at once. */
const PASSES_MS = 60_000;

export async function fuzz(data: Uint8Array): Promise<void> {
  const [kind = 0] = data;
  const file = data.subarray(1);
  if (kind % 3 === 2) return checkEncrypted(file);
  const profile = checked(file);
  if (profile && kind % 3 === 1) await start(encodeSavedata({ ...profile, ...SELF }));
}

export function* corpus(): Iterable<Uint8Array> {
  const confirmed: SavedFriend = {
    ...{ kind: "confirmed", publicKey: key(1), name: bytes(128), statusMessage: bytes(1007), status: "busy" },
    lastOnline: 1_700_000_000,
  };
  const asked: SavedFriend = { kind: "asked", publicKey: key(2), nospam: 7, message: bytes(1024), sent: true };
  const ourselves: SavedFriend = { ...confirmed, publicKey: SELF.publicKey };
  const weak: SavedFriend = { ...confirmed, publicKey: key(1).fill(0) };
  const empty: Savedata = {
    ...{ ...SELF, nospam: 1, friends: [], name: bytes(3), statusMessage: bytes(4), status: "none", others: [] },
    ...{ dhtNodes: [], dhtOthers: [], relays: [], pathNodes: [] },
  };
  const full: Savedata = {
    ...{ ...empty, friends: [confirmed, asked], dhtNodes: FOUR_NODES, pathNodes: FOUR_NODES },
    dhtOthers: [1, 9].map((type) => ({ type, bytes: bytes(7, type) })),
    relays: [node(5, undefined, "tcp"), node(6, IPV6, "tcp")],
    others: [7, 20, 99].map((type) => ({ type, bytes: bytes(9, type) })),
  };
  const profiles = [empty, full, { ...empty, friends: [confirmed, confirmed, ourselves, weak] }];
  for (const kind of [0, 1]) {
    for (const profile of profiles) yield concatBytes(Uint8Array.of(kind), encodeSavedata(profile));
  }
  yield Uint8Array.of(2, ...new TextEncoder().encode("toxEsave"), ...bytes(32), ...bytes(24), ...bytes(16));
}

/** What is read, or nothing and an error that callers know. */
function checked(file: Uint8Array): Savedata | undefined {
  const before = file.slice();
  const profile = attempt(() => decodeSavedata(file), ["profile-damaged", "password-missing"]);
  if (!sameBytes(file, before)) broken("the decoder changes its input", before, file);
  if (profile === undefined) return undefined;
  const { name, statusMessage, friends, dhtNodes, dhtOthers, pathNodes, relays, others } = profile;
  atMost(128, name.length, "our name");
  atMost(1007, statusMessage.length, "our status message");
  atMost(file.length / 2216, friends.length, "friends");
  atMost(file.length / 39, dhtNodes.length + pathNodes.length + relays.length, "nodes");
  atMost(
    file.length,
    [...others, ...dhtOthers].reduce((sum, { bytes }) => sum + 8 + bytes.length, 0),
    "other sections",
  );
  const again = decodeSavedata(encodeSavedata(profile));
  const inOrder = (sections: Savedata["others"]) => [...sections].sort((a, b) => a.type - b.type);
  const sorted = { ...profile, others: inOrder(others), dhtOthers: inOrder(dhtOthers) };
  if (!isDeepStrictEqual(again, sorted)) broken("a profile that is written again is another one", file);
  attempt(() => readProfile(file, new Crypto(nobleProvider, new SeededRandom(1))), ["profile-damaged"]);
  return profile;
}

/** An instance takes it, keeps what it can, and says so when it is asked. */
async function start(profile: Uint8Array): Promise<void> {
  const universe = new Universe({ seed: "profile" });
  const env = { ...universe.host("me").edges, crypto: sodiumProvider };
  const tox = await Tox.create(env, { profile });
  await universe.run(PASSES_MS);
  const [given, kept] = [decodeSavedata(profile), decodeSavedata(tox.exportProfile())];
  await universe.wait(tox.close());
  const same = (
    ["nospam", "publicKey", "secretKey", "name", "statusMessage", "status", "others", "dhtOthers"] as const
  ).every((part) => isDeepStrictEqual(given[part], kept[part]));
  if (!same) broken("an instance forgets something of its profile", profile);
  const missing = kept.friends.filter((friend) => !given.friends.some((other) => isDeepStrictEqual(friend, other)));
  if (missing.length > 0) broken("an instance changes a friend", profile);
}

async function checkEncrypted(file: Uint8Array): Promise<void> {
  const quick = { ...nobleProvider, scrypt: async () => bytes(32, 5) };
  const crypto = new Crypto(quick, new SeededRandom(1));
  const salt = attempt(() => saltOf(file), ["profile-damaged"]);
  const profileKey = await ProfileKey.derive(crypto, bytes(3), salt);
  const plain = attempt(() => profileKey.decrypt(file), ["profile-damaged", "password-wrong"]);
  if (plain) broken("what nobody has encrypted is opened", file);
  const own = profileKey.encrypt(file);
  if (!sameBytes(profileKey.decrypt(own), file)) broken("what is encrypted is not what it was", file);
}

function attempt<T>(read: () => T, codes: readonly string[]): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ToxError && codes.includes(error.code)) return undefined;
    throw error;
  }
}
