import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fileStore } from "../../../../src/node/index.ts";
import { MemoryLogger, SeededRandom } from "../../../../src/testing/index.ts";
import { scratch } from "../../../support/scratch.ts";

const newFolder = scratch();
const HEADER_SIZE = 30;

/** The entries 0, 1, 2 …, so many in each turn, and where each of them ends in the file. */
async function makeJournal(path: string, turns: readonly number[]): Promise<{ ends: number[]; turnEnds: number[] }> {
  const store = fileStore(path);
  const [ends, turnEnds]: [number[], number[]] = [[], []];
  let next = 0;
  for (const count of turns) {
    await Promise.all(Array.from({ length: count }, () => store.append(entryOf(next++))));
    turnEnds.push(statSync(`${path}-journal`).size);
  }
  await store.close();
  let at = HEADER_SIZE;
  for (let number = 0; number < next; number++) {
    at += 12 + 1 + entryOf(number).length;
    ends.push(at);
  }
  expect(at).toBe(turnEnds.at(-1));
  return { ends, turnEnds };
}

function entryOf(number: number): Uint8Array {
  return new Uint8Array(3 + (number % 5)).fill(number);
}

async function read(path: string): Promise<{ numbers: (number | undefined)[]; errors: string[] }> {
  const logger = new MemoryLogger();
  const store = fileStore(path, { logger });
  try {
    const entries = await store.readJournal();
    const numbers = entries.map((entry) => {
      const [number = -1] = entry;
      expect(entry).toEqual(entryOf(number));
      return number;
    });
    return { numbers, errors: logger.lines.filter(({ level }) => level === "error").map(({ message }) => message) };
  } finally {
    await store.close();
  }
}

const upTo = (count: number) => [...Array(count).keys()];

describe("a journal that was cut off", () => {
  it("at any byte, has the turns that were written whole, and goes on behind them", async () => {
    const folder = newFolder();
    const { turnEnds } = await makeJournal(join(folder, "whole.tox"), [2, 1, 3]);
    const whole = readFileSync(join(folder, "whole.tox-journal"));
    const counts = [2, 3, 6];
    for (let size = HEADER_SIZE; size <= whole.length; size++) {
      const path = join(folder, `cut${size}.tox`);
      writeFileSync(`${path}-journal`, whole.subarray(0, size));
      const turns = turnEnds.filter((end) => end <= size).length;
      const expected = upTo(counts[turns - 1] ?? 0);
      if (size % 2 === 0) expect(await read(path)).toEqual({ numbers: expected, errors: [] });
      const store = fileStore(path);
      await store.append(entryOf(9));
      await store.close();
      expect((await read(path)).numbers).toEqual([...expected, 9]);
    }
  });
});

describe("a journal with spoilt bytes", () => {
  it("loses the entry that they are in and no other, and says so, wherever they are", async () => {
    const folder = newFolder();
    const { ends } = await makeJournal(join(folder, "whole.tox"), [2, 1, 3]);
    const whole = readFileSync(join(folder, "whole.tox-journal"));
    for (let at = HEADER_SIZE; at < whole.length; at++) {
      const path = join(folder, `spoilt${at}.tox`);
      const spoilt = Buffer.from(whole);
      spoilt[at] = (spoilt[at] ?? 0) ^ 0x41;
      writeFileSync(`${path}-journal`, spoilt);
      const hit = ends.findIndex((end) => at < end);
      const last = hit === ends.length - 1;
      const { numbers, errors } = await read(path);
      if (last && errors.length === 0) {
        // Its head is spoilt: it looks like the beginning of a write that never ended, and its turn goes with it.
        expect(numbers).toEqual(upTo(3));
        continue;
      }
      expect(numbers).toEqual(upTo(6).filter((number) => number !== hit));
      expect(errors).toEqual([expect.stringContaining("damaged")]);
      expect(readFileSync(`${path}-journal.damaged`).equals(spoilt)).toBe(true);
      expect(await read(path)).toEqual({ numbers, errors: [] }); // it has been written anew
    }
  });

  it("finds what lies behind a spoilt stretch that is longer than what is read at once", async () => {
    const path = join(newFolder(), "alice.tox");
    const store = fileStore(path);
    for (const number of upTo(5)) await store.append(new Uint8Array(100_000).fill(number));
    await store.close();
    const file = readFileSync(`${path}-journal`);
    file.fill(0xee, 150_000, 290_000);
    writeFileSync(`${path}-journal`, file);
    const again = fileStore(path, { logger: new MemoryLogger() });
    expect((await again.readJournal()).map(([number]) => number)).toEqual([0, 3, 4]);
    await again.close();
  });

  it("takes nothing for an entry that a stranger has put into another", async () => {
    const folder = newFolder();
    await makeJournal(join(folder, "other.tox"), [1]);
    const forged = readFileSync(join(folder, "other.tox-journal"));
    const path = join(folder, "alice.tox");
    const store = fileStore(path);
    await store.append(forged);
    await store.append(Uint8Array.of(5));
    await store.close();
    const file = readFileSync(`${path}-journal`);
    file[HEADER_SIZE + 4] = (file[HEADER_SIZE + 4] ?? 0) ^ 1;
    writeFileSync(`${path}-journal`, file);
    const again = fileStore(path, { logger: new MemoryLogger() });
    expect(await again.readJournal()).toEqual([Uint8Array.of(5)]);
    await again.close();
  });

  it("gives entries that were written, in their order, whatever happened to it", async () => {
    const folder = newFolder();
    await makeJournal(join(folder, "whole.tox"), [3, 1, 5, 2, 1]);
    const whole = readFileSync(join(folder, "whole.tox-journal"));
    const random = new SeededRandom("damage");
    const at = () => HEADER_SIZE + Math.floor(random.between(0, whole.length - HEADER_SIZE));
    for (let round = 0; round < 150; round++) {
      let spoilt = Buffer.from(whole);
      for (let blow = random.between(0, 4); blow > 0; blow--) {
        const [from, to] = [at(), at()].sort((a, b) => a - b) as [number, number];
        const kind = Math.floor(random.between(0, 4));
        if (kind === 0) spoilt[from] = random.nextU32() & 0xff;
        else if (kind === 1) spoilt = spoilt.subarray(0, to);
        else if (kind === 2) spoilt.subarray(from, to).fill(0);
        else spoilt = Buffer.concat([spoilt.subarray(0, from), spoilt.subarray(to)]);
      }
      const path = join(folder, `spoilt${round}.tox`);
      writeFileSync(`${path}-journal`, spoilt);
      const { numbers } = await read(path);
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => (a ?? 0) - (b ?? 0)));
      expect((await read(path)).numbers).toEqual(numbers);
    }
  });

  it("is refused, and left alone, when it cannot be told what it is", async () => {
    const path = join(newFolder(), "alice.tox");
    await makeJournal(path, [2]);
    const whole = readFileSync(`${path}-journal`);
    for (const [at, code, word] of [
      [0, "profile-damaged", "move it away"],
      [6, "profile-damaged", "move it away"],
      [7, "store-unavailable", "newer"],
      [12, "profile-damaged", "move it away"],
      [28, "profile-damaged", "move it away"],
    ] as const) {
      const spoilt = Buffer.from(whole);
      spoilt[at] = (spoilt[at] ?? 0) | 0x80;
      if (spoilt.equals(whole)) spoilt[at] = (spoilt[at] ?? 0) ^ 1;
      writeFileSync(`${path}-journal`, spoilt);
      const store = fileStore(path);
      const error = { code, message: expect.stringContaining(word) };
      await expect(store.readJournal()).rejects.toMatchObject(error);
      await expect(store.append(Uint8Array.of(1))).rejects.toMatchObject(error);
      await store.close();
      expect(readFileSync(`${path}-journal`).equals(spoilt)).toBe(true);
    }
  });
});

describe("spoilt records", () => {
  it("are missing, and the others are not", async () => {
    const path = join(newFolder(), "alice.tox");
    const store = fileStore(path);
    await Promise.all(["a", "b", "c"].map((name) => store.write(name, Uint8Array.from(Buffer.from(name.repeat(50))))));
    await store.close();
    const file = readFileSync(`${path}-state`);
    const at = file.indexOf("bbbb");
    file[at + 2] = 0;
    writeFileSync(`${path}-state`, file);
    const logger = new MemoryLogger();
    const again = fileStore(path, { logger });
    const names = ["a", "b", "c"];
    const lengths = [];
    for (const name of names) lengths.push((await again.read(name))?.length);
    expect(lengths).toEqual([50, undefined, 50]);
    expect(logger.lines.map(({ level }) => level)).toEqual(["error"]);
    expect(existsSync(`${path}-state.damaged`)).toBe(true);
    await again.write("b", Uint8Array.of(1));
    await again.close();
    copyFileSync(`${path}-state`, `${path}-state.copy`);
    const third = fileStore(path, { logger });
    expect(await third.read("b")).toEqual(Uint8Array.of(1));
    expect(logger.lines.length).toBe(1);
    await third.close();
  });
});
