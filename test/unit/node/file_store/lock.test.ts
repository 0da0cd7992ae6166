import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { fileStore } from "../../../../src/node/index.ts";
import { scratch } from "../../../support/scratch.ts";

const newFolder = scratch();
const HOLDER = fileURLToPath(new URL("../../../support/store/holder.ts", import.meta.url));
const entry = Uint8Array.of(1);

/** Another process that opens a store when it is told to. */
class Holder {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: Interface;

  private constructor(path: string) {
    this.#child = spawn(process.execPath, [HOLDER, path], { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#child.stdout });
  }

  static async start(path: string): Promise<Holder> {
    const holder = new Holder(path);
    await once(holder.#lines, "line");
    return holder;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Answers what it says: "held", or why not. */
  async open(): Promise<string> {
    this.#child.stdin.write("now\n");
    const [line] = await once(this.#lines, "line");
    return String(line);
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.stdin.end();
    await once(this.#child, "exit");
  }

  /** It is dead behind this, though we have not taken notice yet. */
  killUnnoticed(): void {
    process.kill(this.pid, "SIGKILL");
  }

  async kill(): Promise<void> {
    this.killUnnoticed();
    await once(this.#child, "exit");
  }
}

describe("the lock of a profile", () => {
  const holders: Holder[] = [];
  const newHolder = async (path: string): Promise<Holder> => {
    const holder = await Holder.start(path);
    holders.push(holder);
    return holder;
  };
  afterEach(async () => {
    await Promise.all(holders.splice(0).map((holder) => holder.end()));
  });

  it("refuses a second store of the same process, until the first is closed", async () => {
    const path = join(newFolder(), "alice.tox");
    const [first, second] = [fileStore(path), fileStore(path)];
    await first.append(entry);
    await expect(second.read("profile")).rejects.toMatchObject({
      code: "profile-in-use",
      message: `${path} is in use by this very process (${process.pid}): close the other store first.`,
    });
    await first.close();
    expect(await second.readJournal()).toEqual([entry]);
    await second.close();
  });

  it("refuses another process and names the one that has it", async () => {
    const path = join(newFolder(), "alice.tox");
    const holder = await newHolder(path);
    expect(await holder.open()).toBe("held");
    const store = fileStore(path);
    const sentence = `${path} is in use by process ${holder.pid}: close that program first.`;
    await expect(store.append(entry)).rejects.toMatchObject({ code: "profile-in-use", message: sentence });
    await holder.end();
    expect((await store.readJournal()).length).toBe(1);
    await store.close();
  });

  it("is taken over at once from a process that was killed", async () => {
    const path = join(newFolder(), "alice.tox");
    for (let round = 0; round < 3; round++) {
      const holder = await newHolder(path);
      expect(await holder.open()).toBe("held");
      await holder.kill();
    }
    const store = fileStore(path);
    expect((await store.readJournal()).length).toBe(3);
    expect(readdirSync(join(path, "..")).filter((name) => name.includes("-lock")).length).toBe(1);
    await store.close();
  });

  it("goes to one of many who start in the same instant, a dead one's too", { timeout: 60_000 }, async () => {
    const path = join(newFolder(), "alice.tox");
    const dead = await newHolder(path);
    await dead.open();
    await dead.kill();
    const starters = await Promise.all(Array.from({ length: 6 }, () => newHolder(path)));
    const answers = await Promise.all(starters.map((starter) => starter.open()));
    expect(answers.filter((answer) => answer === "held").length).toBe(1);
    const winner = starters[answers.indexOf("held")];
    for (const answer of answers) {
      if (answer !== "held")
        expect(answer).toBe(`${path} is in use by process ${winner?.pid}: close that program first.`);
    }
  });

  it("goes to one of many in one process, over and over", async () => {
    const path = join(newFolder(), "alice.tox");
    for (let round = 0; round < 20; round++) {
      const stores = Array.from({ length: 8 }, () => fileStore(path));
      const opened = await Promise.allSettled(stores.map((store) => store.append(entry)));
      expect(opened.filter(({ status }) => status === "fulfilled").length).toBe(1);
      await Promise.all(stores.map((store) => store.close()));
    }
    expect(readdirSync(join(path, ".."))).toEqual(["alice.tox-journal"]);
  });

  describe.runIf(process.platform === "linux")("that somebody else has left", () => {
    const lock = (fields: object) => JSON.stringify({ ...ownLock, ...fields });
    const boot = () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const ownLock: Record<string, unknown> = { host: hostname() };

    it.each([
      ["has our number, but started before us", () => ({ pid: process.pid, start: "1" }), undefined],
      ["has a number that nobody has", () => ({ pid: 0x3f_fffe, start: "1" }), undefined],
      ["ran before the machine started anew", () => ({ boot: "b", pid: process.pid }), undefined],
      [
        "is on another machine",
        () => ({ boot: "b", host: "elsewhere", pid: 7 }),
        /process 7 on elsewhere, which cannot be/,
      ],
      [
        "is in another container",
        () => ({ namespace: "pid:[1]", pid: 7 }),
        /which cannot be seen from here.*remove .*lock\.3/,
      ],
    ] as const)("who %s", async (_, fields, refusal) => {
      const path = join(newFolder(), "alice.tox");
      const mine = fileStore(path);
      await mine.append(entry);
      Object.assign(ownLock, JSON.parse(readFileSync(`${path}-lock.1`, "utf8")));
      expect(ownLock.boot).toBe(boot());
      await mine.close();
      writeFileSync(`${path}-lock.3`, lock(fields()));
      const store = fileStore(path);
      if (refusal) {
        await expect(store.append(entry)).rejects.toMatchObject({
          code: "profile-in-use",
          message: expect.stringMatching(refusal),
        });
        expect(readdirSync(join(path, ".."))).toContain("alice.tox-lock.3");
      } else {
        await store.append(entry);
        expect(readdirSync(join(path, "..")).sort()).toEqual(["alice.tox-journal", "alice.tox-lock.4"]);
      }
      await store.close();
    });

    it("is a dead one's though his parent has not noticed", async () => {
      const path = join(newFolder(), "alice.tox");
      const holder = await newHolder(path);
      await holder.open();
      holder.killUnnoticed();
      // The loop does not run meanwhile: nobody collects the dead process.
      while (!/\) Z/.test(readFileSync(`/proc/${holder.pid}/stat`, "utf8")));
      const store = fileStore(path);
      await store.append(entry);
      await store.close();
    });
  });

  it.each(["", "nonsense", '{"pid":-1}'])("that reads %j is nobody's", async (text) => {
    const path = join(newFolder(), "alice.tox");
    writeFileSync(`${path}-lock.1`, text);
    const store = fileStore(path);
    await store.append(entry);
    await store.close();
  });
});
