import { describe, expect, it } from "vitest";
import { MemoryLogger } from "../../../src/testing/index.ts";
import { Emitter } from "../../../src/util/emitter.ts";

interface Events {
  message: string;
  count: number;
}

describe("Emitter", () => {
  it("tells listeners at once and in order, until they leave", () => {
    const emitter = new Emitter<Events>();
    const heard: string[] = [];
    const offFirst = emitter.on("message", (text) => heard.push(`first ${text}`));
    emitter.on("message", (text) => heard.push(`second ${text}`));
    emitter.on("count", () => heard.push("count"));
    emitter.emit("message", "a");
    expect(heard).toEqual(["first a", "second a"]);
    offFirst();
    offFirst();
    emitter.emit("message", "b");
    expect(heard.slice(2)).toEqual(["second b"]);
    expect([emitter.listenerCount("message"), emitter.listenerCount("count")]).toEqual([1, 1]);
    emitter.removeAll();
    emitter.emit("message", "c");
    expect(heard.length).toBe(3);
  });

  it("tells the others when a listener throws or rejects, and the logger why", async () => {
    const logger = new MemoryLogger();
    const emitter = new Emitter<Events>(logger);
    const heard: number[] = [];
    emitter.on("count", () => {
      throw new Error("thrown");
    });
    emitter.on("count", async () => {
      throw new Error("rejected");
    });
    emitter.on("count", () => {
      throw "no error at all";
    });
    emitter.on("count", (count) => heard.push(count));
    await Promise.all(emitter.emit("count", 5));
    expect(heard).toEqual([5]);
    expect(logger.lines.map(({ level, fields }) => [level, fields.event])).toEqual([
      ["error", "count"],
      ["error", "count"],
      ["error", "count"],
    ]);
    const reasons = logger.lines.map(({ fields }) => String(fields.reason)).join("\n");
    for (const reason of ["thrown", "rejected", "no error at all"]) expect(reasons).toContain(reason);
  });

  it("does not need a logger", async () => {
    const emitter = new Emitter<Events>();
    emitter.on("count", () => {
      throw new Error("thrown");
    });
    await Promise.all(emitter.emit("count", 5));
  });

  it("answers promises that wait for asynchronous listeners", async () => {
    const emitter = new Emitter<Events>();
    let handled = false;
    emitter.on("message", async () => {
      await Promise.resolve();
      handled = true;
    });
    emitter.on("message", () => "no promise");
    const pending = emitter.emit("message", "a");
    expect([pending.length, handled]).toEqual([1, false]);
    await Promise.all(pending);
    expect(handled).toBe(true);
  });

  it("keeps to the listeners there were when the event began", () => {
    const emitter = new Emitter<Events>();
    const heard: string[] = [];
    const offFirst = emitter.on("message", () => {
      heard.push("first");
      offFirst();
      offSecond();
      emitter.on("message", () => heard.push("late"));
    });
    const offSecond = emitter.on("message", () => heard.push("second"));
    emitter.emit("message", "a");
    expect(heard).toEqual(["first", "second"]);
    emitter.emit("message", "b");
    expect(heard.slice(2)).toEqual(["late"]);
  });

  it("tells once-listeners once, even when they emit again", () => {
    const emitter = new Emitter<Events>();
    const heard: number[] = [];
    emitter.once("count", (count) => {
      heard.push(count);
      if (count < 5) emitter.emit("count", count + 1);
    });
    const off = emitter.once("count", () => heard.push(-1));
    off();
    emitter.emit("count", 1);
    emitter.emit("count", 9);
    expect(heard).toEqual([1]);
    expect(emitter.listenerCount("count")).toBe(0);
  });

  it("removes a listener that was added twice one at a time", () => {
    const emitter = new Emitter<Events>();
    let calls = 0;
    const listener = () => {
      calls++;
    };
    emitter.on("count", listener);
    const off = emitter.on("count", listener);
    off();
    off();
    emitter.emit("count", 1);
    expect(calls).toBe(1);
  });
});
