import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fileStore } from "../../../../src/node/index.ts";
import { scratch } from "../../../support/scratch.ts";

const newFolder = scratch();
const password = "pässwörd";
const text = (words: string) => new Uint8Array(Buffer.from(words));

/** A profile, a record and a journal, all with words that can be looked for. */
async function fill(path: string, options: { password?: string }): Promise<void> {
  const store = fileStore(path, options);
  await store.write("profile", text("old secret"));
  await store.write("profile", text("new secret"));
  await store.write("secret name", text("secret record"));
  await store.append(text("secret entry"));
  await store.close();
}

async function readAll(path: string, options: { password?: string }): Promise<string[]> {
  const store = fileStore(path, options);
  try {
    const all = [await store.read("profile"), await store.read("secret name"), ...(await store.readJournal())];
    return all.map((bytes) => Buffer.from(bytes ?? []).toString());
  } finally {
    await store.close();
  }
}

const everything = ["new secret", "secret record", "secret entry"];

describe("a store with a password", () => {
  it("shows nothing of what is in it, not even names, and gives it back", async () => {
    const folder = newFolder();
    const path = join(folder, "alice.tox");
    await fill(path, { password });
    const files = readdirSync(folder);
    expect(files.length).toBe(4);
    for (const file of files) expect(readFileSync(join(folder, file), "latin1")).not.toContain("secret");
    expect(readFileSync(path, "latin1").slice(0, 8)).toBe("toxEsave");
    expect(await readAll(path, { password })).toEqual(everything);
    const asBytes = fileStore(path, { password: text(password) });
    expect(await asBytes.read("profile")).toEqual(text("new secret"));
    await asBytes.close();
  });

  it("never seals two entries alike", async () => {
    const path = join(newFolder(), "alice.tox");
    const store = fileStore(path, { password });
    for (let i = 0; i < 2; i++) await store.append(new Uint8Array(100));
    await store.close();
    const file = readFileSync(`${path}-journal`);
    const frame = 12 + 24 + 16 + 1 + 100;
    const [one, two] = [file.subarray(-2 * frame, -frame), file.subarray(-frame)];
    expect(one.subarray(0, 4)).toEqual(two.subarray(0, 4));
    expect(one.subarray(12, 36)).not.toEqual(two.subarray(12, 36));
    expect(one.subarray(52)).not.toEqual(two.subarray(52));
  });

  it.each([
    ["another", "not the password", "password-wrong"],
    ["none", undefined, "password-missing"],
  ])("refuses %s before anything is written", async (_, wrong, code) => {
    const folder = newFolder();
    const path = join(folder, "alice.tox");
    await fill(path, { password });
    const before = readdirSync(folder).map((file) => readFileSync(join(folder, file)));
    const store = fileStore(path, wrong === undefined ? {} : { password: wrong });
    const calls = [() => store.read("profile"), () => store.append(text("x")), () => store.write("profile", text("x"))];
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject({ code, message: expect.stringContaining(path) });
    }
    await store.close();
    expect(readdirSync(folder).map((file) => readFileSync(join(folder, file)))).toEqual(before);
    expect(() => fileStore(path, { password: "" })).toThrow(/leave it out/);
  });

  it("tells a damaged profile from a wrong password by the version before it, and points to that", async () => {
    const path = join(newFolder(), "alice.tox");
    await fill(path, { password });
    const whole = readFileSync(path);
    const damages = {
      flipped: Buffer.from(whole.map((byte, i) => (i === 85 ? byte ^ 1 : byte))),
      "another salt": Buffer.from(whole.map((byte, i) => (i === 20 ? byte ^ 1 : byte))),
      short: whole.subarray(0, 60),
    };
    for (const [damage, bytes] of Object.entries(damages)) {
      writeFileSync(path, bytes);
      const store = fileStore(path, { password });
      const error = { code: "profile-damaged", message: expect.stringContaining(`put ${path}.bak in its place`) };
      await expect(store.read("profile"), damage).rejects.toMatchObject(error);
      expect(await store.previous?.("profile")).toEqual({ bytes: text("old secret"), place: `${path}.bak` });
      expect(await store.readJournal()).toEqual([text("secret entry")]);
      await store.close();
      expect(readFileSync(path).equals(bytes)).toBe(true);
    }
    copyFileSync(`${path}.bak`, path);
    expect((await readAll(path, { password }))[0]).toBe("old secret");
  });

  it("takes a version before that is not encrypted for no proof of a password", async () => {
    const path = join(newFolder(), "alice.tox");
    await fill(path, {});
    const first = fileStore(path, { password });
    await first.write("profile", text("newest secret"));
    await first.close();
    writeFileSync(`${path}.bak`, "new secret"); // another client's, say
    const store = fileStore(path, { password: "not the password" });
    await expect(store.read("profile")).rejects.toMatchObject({ code: "password-wrong" });
    await store.close();
    writeFileSync(path, readFileSync(path).subarray(0, 60)); // cut short it is damaged, whatever the password
    const again = fileStore(path, { password });
    const error = { code: "profile-damaged", message: expect.stringContaining(`put ${path}.bak in its place`) };
    await expect(again.read("profile")).rejects.toMatchObject(error);
    await again.close();
  });

  it("keeps the version before when a damaged profile is replaced", async () => {
    const path = join(newFolder(), "alice.tox");
    await fill(path, { password });
    const previous = readFileSync(`${path}.bak`);
    writeFileSync(path, readFileSync(path).subarray(0, -1));
    const store = fileStore(path, { password });
    await expect(store.read("profile")).rejects.toMatchObject({ code: "profile-damaged" });
    await store.write("profile", text("a new one"));
    await store.close();
    expect(readFileSync(`${path}.bak`)).toEqual(previous);
  });

  it("encrypts what was not, from then on", async () => {
    const folder = newFolder();
    const path = join(folder, "alice.tox");
    await fill(path, {});
    expect(await readAll(path, { password })).toEqual(everything);
    const store = fileStore(path, { password });
    await store.write("profile", text("new secret"));
    await store.close();
    expect(readdirSync(folder)).toContain("alice.tox.bak"); // encrypted as well
    for (const file of readdirSync(folder)) expect(readFileSync(join(folder, file), "latin1")).not.toContain("secret");
    expect(await readAll(path, { password })).toEqual(everything);
  });

  it("says which file is under another password, when a client has changed the profile's", async () => {
    const path = join(newFolder(), "alice.tox");
    await fill(path, { password });
    await fill(`${path}-other`, { password: "changed" });
    copyFileSync(`${path}-other`, path);
    const store = fileStore(path, { password: "changed" });
    const error = (file: string) => ({ code: "password-wrong", message: expect.stringContaining(`${path}-${file}`) });
    await expect(store.read("profile")).rejects.toMatchObject(error("state"));
    rmSync(`${path}-state`);
    await expect(store.append(text("x"))).rejects.toMatchObject(error("journal"));
    rmSync(`${path}-journal`);
    expect(await store.read("profile")).toEqual(text("new secret"));
    await store.close();
  });
});
