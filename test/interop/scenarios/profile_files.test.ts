import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Crypto } from "../../../src/crypto/crypto.ts";
import { Tox } from "../../../src/index.ts";
import { decryptProfile, encryptProfile, fileStore } from "../../../src/node/index.ts";
import { nodeRandom } from "../../../src/node/random.ts";
import { sodiumProvider } from "../../../src/node/sodium_provider.ts";
import { decodeSavedata } from "../../../src/state/savedata.ts";
import { toHex } from "../../../src/util/bytes.ts";
import { utf8 } from "../../../src/util/text.ts";
import { scratch } from "../../support/scratch.ts";
import { toxcoreEncryption } from "../encryptsave.ts";
import { describeInterop, ToxcorePeer } from "../toxcore.ts";

const LOCAL = { bindIpv4: "127.0.0.1", ipv6: false, port: 0 } as const;
const crypto = new Crypto(sodiumProvider, nodeRandom);
const stranger = () => toHex(crypto.keyPair().publicKey);
const folder = scratch();

/** What one of ours says of the profile in the file, after it has added a friend. */
async function addFriendHere(path: string, friend: string, password?: string) {
  const store = fileStore(path, password === undefined ? {} : { password });
  const tox = await Tox.create({ ...LOCAL, store });
  await tox.addFriendWithoutRequest(friend);
  const seen = { id: tox.id, name: tox.name, friends: tox.friends.map(({ publicKey }) => publicKey) };
  await tox.close();
  await store.close();
  return seen;
}

describeInterop("a profile", () => {
  it.each([undefined, "correct horse"])(
    "of theirs gains a friend here, and opens there with it (password: %s)",
    async (password) => {
      const path = join(folder(), "theirs.tox");
      const [before, gained] = [stranger(), stranger()];
      let address: string;
      {
        await using theirs = await ToxcorePeer.start();
        await theirs.setName("theirs");
        await theirs.friendAddNorequest(before);
        address = theirs.address;
        const plain = await theirs.savedata();
        await writeFile(path, password === undefined ? plain : toxcoreEncryption().encrypt(plain, utf8(password)));
      }
      expect(await addFriendHere(path, gained, password)).toEqual({
        id: address,
        name: "theirs",
        friends: [before, gained],
      });
      const bytes = await readFile(path);
      const savedata = password === undefined ? bytes : toxcoreEncryption().decrypt(bytes, utf8(password));
      await using again = await ToxcorePeer.start({ savedata });
      expect(again.address).toBe(address);
      expect(await again.friends()).toEqual([before, gained]);
    },
  );

  it("of theirs keeps its conferences while it is used here", async () => {
    const path = join(folder(), "conference.tox");
    {
      await using theirs = await ToxcorePeer.start();
      await theirs.conferenceNew("three of us");
      await theirs.conferenceNew("all of us");
      await writeFile(path, await theirs.savedata());
    }
    await addFriendHere(path, stranger());
    const [savedata, { others }] = await readFile(path).then((bytes) => [bytes, decodeSavedata(bytes)] as const);
    expect(others.map(({ type, bytes }) => [type, bytes.length > 0])).toEqual([[20, true]]);
    await using again = await ToxcorePeer.start({ savedata });
    expect(await again.conferenceCount()).toBe(2);
  });

  it("of ours gains a friend there, and opens here with it", async () => {
    const path = join(folder(), "ours.tox");
    const [before, gained] = [stranger(), stranger()];
    const { id } = await addFriendHere(path, before, "secret");
    {
      const savedata = await decryptProfile(await readFile(path), "secret");
      await using theirs = await ToxcorePeer.start({ savedata });
      expect(theirs.address).toBe(id);
      await theirs.friendAddNorequest(gained);
      await theirs.setName("renamed there");
      await writeFile(path, await encryptProfile(await theirs.savedata(), "secret"));
    }
    const last = stranger();
    expect(await addFriendHere(path, last, "secret")).toEqual({
      id,
      name: "renamed there",
      friends: [before, gained, last],
    });
  });
});
