import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { changeProfilePassword, fileStore } from "../../../../src/node/index.ts";
import { scratch } from "../../../support/scratch.ts";

/** From so many operations on the disk on, all of them fail, as if the process had been killed before. */
const life = vi.hoisted(() => ({ left: Number.POSITIVE_INFINITY }));

vi.mock("node:fs/promises", async (importOriginal) => {
  const real = await importOriginal<typeof import("node:fs/promises")>();
  const mortal = <Args extends unknown[], Result>(operation: (...args: Args) => Promise<Result>) => {
    return async (...args: Args): Promise<Result> => {
      if (--life.left < 0) throw new Error("killed");
      return await operation(...args);
    };
  };
  return {
    ...real,
    open: mortal(real.open),
    rename: mortal(real.rename),
    rm: mortal(real.rm),
    link: mortal(real.link),
  };
});

/** Keys are what takes time here, and they are tried elsewhere. */
vi.mock("../../../../src/node/crypto_loader.ts", async (importOriginal) => {
  const { loadCryptoProvider } = await importOriginal<typeof import("../../../../src/node/crypto_loader.ts")>();
  const provider = await loadCryptoProvider();
  const scrypt: typeof provider.scrypt = (password, salt, cost) => provider.scrypt(password, salt, { ...cost, n: 64 });
  return { loadCryptoProvider: async () => Object.assign(Object.create(provider), { scrypt }) };
});

const newFolder = scratch();
const text = (words: string) => new Uint8Array(Buffer.from(words));
const profile = (words: string) => Uint8Array.of(0, 0, 0, 0, 0x1f, 0x1b, 0xed, 0x15, ...text(words));
const given = (password: string | undefined) => (password === undefined ? {} : { password });
const everything = ["new secret", "old secret", "secret record", "first secret entry", "second secret entry"];
const files = ["alice.tox", "alice.tox-journal", "alice.tox-state", "alice.tox.bak"];

async function fill(path: string, password: string | undefined): Promise<void> {
  const store = fileStore(path, given(password));
  await store.write("profile", profile("old secret"));
  await store.write("profile", profile("new secret"));
  await store.write("record", text("secret record"));
  await store.append(text("first secret entry"));
  await store.append(text("second secret entry"));
  await store.close();
}

async function readAll(path: string, password: string | undefined): Promise<string[]> {
  const store = fileStore(path, given(password));
  try {
    const profiles = [await store.read("profile"), (await store.previous?.("profile"))?.bytes];
    const words = profiles.map((bytes) => bytes?.subarray(8));
    const all = [...words, await store.read("record"), ...(await store.readJournal())];
    return all.map((bytes) => Buffer.from(bytes ?? []).toString());
  } finally {
    await store.close();
  }
}

function change(path: string, from: string | undefined, to: string | undefined): Promise<void> {
  return changeProfilePassword(path, { ...(from !== undefined && { from }), ...(to !== undefined && { to }) });
}

const shows = (path: string) => readFileSync(path, "latin1").includes("secret");

describe("the password of a profile", () => {
  it("is set, changed and taken away, on all files at once", async () => {
    const folder = newFolder();
    const path = join(folder, "alice.tox");
    await fill(path, undefined);
    let before: string | undefined;
    for (const after of ["one", "two", undefined]) {
      await change(path, before, after);
      expect(readdirSync(folder).sort()).toEqual(files);
      expect(files.map((file) => shows(join(folder, file)))).toEqual(files.map(() => after === undefined));
      expect(await readAll(path, after)).toEqual(everything);
      if (after !== undefined) await expect(readAll(path, before)).rejects.toMatchObject({ code: /password-/ });
      before = after;
    }
  });

  it("stays as it is where it cannot be changed", async () => {
    const folder = newFolder();
    const path = join(folder, "alice.tox");
    await fill(path, "one");
    writeFileSync(join(folder, "letter"), "Dear Alice");
    const before = readdirSync(folder).map((file) => readFileSync(join(folder, file)));
    const refused = (attempt: Promise<void>, code: string, words: string) =>
      expect(attempt).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
    await refused(change(path, "none of it", "two"), "password-wrong", path);
    await refused(change(path, undefined, "two"), "password-missing", path);
    await refused(change(path, "one", ""), "invalid-argument", "leave it out");
    await refused(change(join(folder, "bob.tox"), undefined, "two"), "invalid-argument", "no profile");
    await refused(change(join(folder, "letter"), undefined, "two"), "profile-damaged", "is no profile");
    await refused(change(join(folder, "none", "alice.tox"), "one", "two"), "store-unavailable", "no such folder");
    const store = fileStore(path, { password: "one" });
    await store.read("profile");
    await refused(change(path, "one", "two"), "profile-in-use", "close the other store");
    await store.close();
    expect(readdirSync(folder).map((file) => readFileSync(join(folder, file)))).toEqual(before);
  });

  it("leaves a version before that has another one, and what another client left without ours", async () => {
    const path = join(newFolder(), "alice.tox");
    await fill(`${path}-other`, "another");
    await fill(path, "one");
    const other = readFileSync(`${path}-other`);
    writeFileSync(`${path}.bak`, other);
    rmSync(`${path}-journal`);
    await change(path, "one", "two");
    expect(readFileSync(`${path}.bak`).equals(other)).toBe(true);
    expect(existsSync(`${path}-journal`)).toBe(false);
    const store = fileStore(path, { password: "two" });
    expect(await store.read("profile")).toEqual(profile("new secret"));
    await store.close();
  });

  it.each([
    ["set", undefined, "one"],
    ["changed", "one", "two"],
    ["taken away", "one", undefined],
  ])("%s, is the old one or the new one on all files, whenever the process is killed", async (_, before, after) => {
    const opened: string[] = [];
    for (let operations = 0, over = false; !over && operations < 200; operations++) {
      const folder = newFolder();
      const path = join(folder, "alice.tox");
      await fill(path, before);
      life.left = operations;
      over = await change(path, before, after).then(
        () => true,
        () => false,
      );
      life.left = Number.POSITIVE_INFINITY;
      for (const file of readdirSync(folder)) if (file.includes("-lock")) rmSync(join(folder, file));
      // Where one of the two is none it is tried first: a store with a password takes what is not encrypted, too.
      const [first, second] = after === undefined ? [after, before] : [before, after];
      const found = await readAll(path, first).catch(String);
      const isFirst = Array.isArray(found);
      expect(isFirst ? found : await readAll(path, second).catch(String), `${operations} operations`).toEqual(
        everything,
      );
      opened.push(isFirst === (first === before) ? "old" : "new");
      expect(readdirSync(folder).filter((file) => file.endsWith("-newkey"))).toEqual([]);
    }
    expect(opened.length).toBeGreaterThan(20);
    // Once it is changed it stays so, and that is not only at the end.
    expect(opened.join(" ")).toMatch(/^(old )+new (new )+new$/);
  });
});
