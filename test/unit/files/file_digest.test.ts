import { describe, expect, it } from "vitest";
import { nobleProvider } from "../../../src/crypto/noble.ts";
import { FileDigest } from "../../../src/files/file_digest.ts";
import { sodiumProvider } from "../../../src/node/sodium_provider.ts";
import { fileBytes } from "../../support/files.ts";

const BYTES = fileBytes(5000);
const read = async (offset: number, length: number) => BYTES.subarray(offset, offset + length);

describe.each([sodiumProvider, nobleProvider])("the hash of a file ($name)", (provider) => {
  const hash = new Uint8Array(32);
  provider.sha256(hash, BYTES);

  it("is made of what passes by, and by reading again where something was missed", async () => {
    const whole = new FileDigest(provider);
    for (let at = 0; at < 5000; at += 1000) whole.take(at, BYTES.subarray(at, at + 1000));
    expect(await whole.finish(5000, undefined)).toEqual(hash);
    const half = new FileDigest(provider);
    half.take(2000, BYTES.subarray(2000));
    expect(await half.finish(5000, undefined)).toBeUndefined();
    expect(await half.finish(5000, read)).toEqual(hash);
  });

  it("is the same when it is asked for twice, and when more passes by afterwards", async () => {
    const digest = new FileDigest(provider);
    digest.take(0, BYTES);
    expect(await digest.finish(5000, read)).toEqual(hash);
    digest.take(5000, Uint8Array.of(1));
    expect(await digest.finish(5000, read)).toEqual(hash);
    expect(await digest.finish(5000, undefined)).toBeUndefined();
  });
});
