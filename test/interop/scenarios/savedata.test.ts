import { expect, it } from "vitest";
import { Crypto } from "../../../src/crypto/crypto.ts";
import { ProfileKey, saltOf } from "../../../src/crypto/profile_encryption.ts";
import { sodiumProvider } from "../../../src/node/sodium_provider.ts";
import { decodeSavedata, encodeSavedata } from "../../../src/state/savedata.ts";
import { SeededRandom } from "../../../src/testing/seeded_random.ts";
import { toHex } from "../../../src/util/bytes.ts";
import { fromUtf8, utf8 } from "../../../src/util/text.ts";
import { formatToxId } from "../../../src/wire/friend/tox_id.ts";
import { toxcoreEncryption } from "../encryptsave.ts";
import { describeInterop, ToxcorePeer } from "../toxcore.ts";

const crypto = new Crypto(sodiumProvider, new SeededRandom("savedata"));
const somebody = () => formatToxId({ publicKey: crypto.keyPair().publicKey, nospam: 0x0102_0304 });

describeInterop("savedata", () => {
  it.concurrent("of theirs is read whole, and written again byte for byte", async () => {
    await using theirs = await ToxcorePeer.start();
    await using other = await ToxcorePeer.start();
    await theirs.setName("Théirs");
    await theirs.setStatusMessage("here");
    await theirs.setStatus("busy");
    await other.setName("other");
    await other.setStatusMessage("there");
    await theirs.bootstrap(other.dhtNode);
    await theirs.friendAddNorequest(other.publicKey);
    await other.friendAddNorequest(theirs.publicKey);
    const asked = somebody();
    await theirs.friendAdd(asked, "let me in");
    await theirs.waitFor("friendStatusMessage", undefined, 120_000);
    const bytes = await theirs.savedata();
    const data = decodeSavedata(bytes);

    expect(formatToxId(data)).toBe(theirs.address);
    expect(toHex(crypto.keyPairOf(data.secretKey).publicKey)).toBe(theirs.publicKey);
    expect([fromUtf8(data.name), fromUtf8(data.statusMessage), data.status]).toEqual(["Théirs", "here", "busy"]);
    const friends = data.friends.map((friend) =>
      friend.kind === "asked"
        ? [formatToxId(friend), fromUtf8(friend.message)]
        : [toHex(friend.publicKey), fromUtf8(friend.name), fromUtf8(friend.statusMessage)],
    );
    expect(friends).toEqual([
      [other.publicKey, "other", "there"],
      [asked, "let me in"],
    ]);
    const [confirmed] = data.friends;
    if (confirmed?.kind !== "confirmed") throw new Error("not confirmed");
    expect(Math.abs((confirmed.lastOnline ?? 0) - Date.now() / 1000)).toBeLessThan(60);
    expect(data.dhtNodes.length).toBeGreaterThan(0);
    // toxcore makes room for nodes that it does not have: zeros behind the end.
    const written = encodeSavedata(data);
    expect(toHex(written)).toBe(toHex(bytes.subarray(0, written.length)));
    expect(bytes.subarray(written.length).every((byte) => byte === 0)).toBe(true);
  });

  it.concurrent("of ours is read by theirs, with a friend more", async () => {
    await using theirs = await ToxcorePeer.start();
    await theirs.setName("theirs");
    const first = await theirs.friendAdd(somebody(), "hello");
    const data = decodeSavedata(await theirs.savedata());
    const publicKey = crypto.keyPair().publicKey;
    const more = {
      kind: "confirmed",
      publicKey,
      name: utf8("added here"),
      statusMessage: utf8(""),
      status: "none",
      lastOnline: 1_700_000_000,
    } as const;
    await theirs.close();

    const savedata = encodeSavedata({ ...data, friends: [...data.friends, more] });
    await using again = await ToxcorePeer.start({ savedata });
    expect(again.address).toBe(theirs.address);
    expect(await again.friends()).toEqual([first, toHex(publicKey)]);
    expect(await again.lastOnline(publicKey)).toBe(1_700_000_000);
  });

  it.concurrent("encrypted by theirs opens here, and the reverse", async () => {
    await using theirs = await ToxcorePeer.start();
    const plain = await theirs.savedata();
    const password = utf8("correct horse");
    const library = toxcoreEncryption();

    const boxed = library.encrypt(plain, password);
    const key = await ProfileKey.derive(crypto, password, saltOf(boxed));
    expect(toHex(key.decrypt(boxed))).toBe(toHex(plain));
    expect(toHex(library.decrypt(key.encrypt(plain), password))).toBe(toHex(plain));
    expect(() => library.decrypt(key.encrypt(plain), utf8("wrong"))).toThrow();
  });
});
