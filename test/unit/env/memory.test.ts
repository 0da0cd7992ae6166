import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/env/logger.ts";
import { memoryStore } from "../../../src/env/memory_store.ts";
import { MemoryMetrics } from "../../../src/env/metrics.ts";

describe("memoryStore", () => {
  it("keeps records whole, as copies", async () => {
    const store = memoryStore();
    expect(await store.read("profile")).toBeUndefined();
    const bytes = Uint8Array.of(1, 2, 3);
    await store.write("profile", bytes);
    bytes.fill(9);
    const read = await store.read("profile");
    expect(read).toEqual(Uint8Array.of(1, 2, 3));
    read?.fill(9);
    expect(await store.read("profile")).toEqual(Uint8Array.of(1, 2, 3));
    await store.write("profile", Uint8Array.of(4));
    expect(await store.read("profile")).toEqual(Uint8Array.of(4));
  });

  it("keeps the journal in order until it is rewritten, and across a close", async () => {
    const store = memoryStore();
    const entry = Uint8Array.of(1);
    await Promise.all([store.append(entry), store.append(Uint8Array.of(2))]);
    entry.fill(9);
    await store.close();
    const journal = await store.readJournal();
    expect(journal).toEqual([Uint8Array.of(1), Uint8Array.of(2)]);
    await store.rewriteJournal([Uint8Array.of(3)]);
    await store.append(Uint8Array.of(4));
    expect(await store.readJournal()).toEqual([Uint8Array.of(3), Uint8Array.of(4)]);
  });
});

describe("MemoryMetrics", () => {
  it("adds counters up, overwrites gauges and lists both by name", () => {
    const metrics = new MemoryMetrics();
    metrics.count("b");
    metrics.count("b", 4);
    metrics.gauge("a", 7);
    metrics.gauge("a", 3);
    expect(metrics.get("b")).toBe(5);
    expect(metrics.get("never")).toBe(0);
    expect(Object.entries(metrics.snapshot())).toEqual([
      ["a", 3],
      ["b", 5],
    ]);
  });
});

describe("silentLogger", () => {
  it("takes everything", () => {
    for (const level of ["debug", "info", "warn", "error"] as const) silentLogger[level]("text", { field: 1 });
  });
});
