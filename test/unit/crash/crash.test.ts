import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SeededRandom } from "../../../src/testing/index.ts";
import { crashConversation } from "../../crash/conversation_crashes.ts";
import { crashStore } from "../../crash/store_crashes.ts";

/** A short run; `npm run test:crash` is the long one. Where a process is when it is killed is never the same twice. */
describe("killed processes", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "toxcore-ts-crash-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("leave a store whole: what was answered for is there, in order, once", { timeout: 120_000 }, async () => {
    const summary = await crashStore(join(folder, "alice.tox"), new SeededRandom("crash"), 10);
    expect(summary).toMatch(/^10 kills .*: [1-9]\d* entries appended/);
  });

  it("lose and double no word between two of ours", { timeout: 240_000 }, async () => {
    const summary = await crashConversation(folder, new SeededRandom("crash"), 6);
    expect(summary).toMatch(/^6 kills .*: [1-9]\d* and [1-9]\d* words answered for, and heard once$/);
  });
});
