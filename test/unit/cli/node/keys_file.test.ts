import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readOrMakeKeys } from "../../../../src/cli/node/keys_file.ts";
import { nobleProvider } from "../../../../src/crypto/noble.ts";

const publicKeyOf = (secretKey: Uint8Array) => {
  const publicKey = new Uint8Array(32);
  nobleProvider.publicKey(publicKey, secretKey);
  return publicKey;
};
const SECRET = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
const make = () => ({ publicKey: publicKeyOf(SECRET), secretKey: Uint8Array.from(SECRET) });
const never = () => {
  throw new Error("keys were made although there is a file");
};

describe("the keys file", () => {
  let folder = "";
  let path = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "toxcore-ts-keys-"));
    path = join(folder, "keys");
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("is made for its owner alone, without leaving drafts, and read again", async () => {
    await readOrMakeKeys(path, make, publicKeyOf);
    expect(await readdir(folder)).toEqual(["keys"]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path)).toEqual(Buffer.concat([publicKeyOf(SECRET), SECRET]));
    expect(await readOrMakeKeys(path, never, publicKeyOf)).toEqual(make());
  });

  it("is made although a killed process has left drafts", async () => {
    await writeFile(`${path}.${process.pid}.new`, "half");
    await readOrMakeKeys(path, make, publicKeyOf);
    expect(await readOrMakeKeys(path, never, publicKeyOf)).toEqual(make());
  });

  it.each([
    ["is empty", new Uint8Array(0), "has 0 bytes instead of 64"],
    ["was cut", new Uint8Array(63), "has 63 bytes instead of 64"],
    ["has something after it", new Uint8Array(65), "has 65 bytes instead of 64"],
    ["holds two keys of different pairs", new Uint8Array(64).fill(9), "is damaged"],
    ["holds the keys in the wrong order", Buffer.concat([SECRET, publicKeyOf(SECRET)]), "is damaged"],
  ])("is refused, and left alone, when it %s", async (_, bytes, why) => {
    await writeFile(path, bytes);
    await expect(readOrMakeKeys(path, never, publicKeyOf)).rejects.toMatchObject({
      code: "config-invalid",
      message: expect.stringMatching(new RegExp(`${path} ${why}`)),
    });
    expect(await readFile(path)).toEqual(Buffer.from(bytes));
  });

  it("is refused when it cannot be read or written", async () => {
    const refused = { code: "config-invalid" };
    await expect(readOrMakeKeys(folder, never, publicKeyOf)).rejects.toMatchObject(refused);
    await expect(readOrMakeKeys(join(folder, "no", "keys"), make, publicKeyOf)).rejects.toMatchObject(refused);
  });
});
