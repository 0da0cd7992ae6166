import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { concatBytes, readU64 } from "../../../src/util/bytes.ts";
import { utf8 } from "../../../src/util/text.ts";
import {
  encodeHandled,
  encodeHello,
  encodeMessageFragment,
  type MessageMark,
} from "../../../src/wire/friend/extension.ts";
import { HELLO } from "../../support/hostile_friend.ts";
import {
  allIsWell,
  arrive,
  dropsOf,
  established,
  meet,
  stillListens,
  talk,
  talkPlainly,
  type World,
} from "../../support/hostile_story.ts";

describe("a hostile friend, as one of ours", () => {
  let world: World;

  beforeEach(async () => {
    world = await meet();
  });

  afterEach(async () => {
    await world[Symbol.asyncDispose]();
  });

  const text = utf8("text");
  const fragment = (mark: MessageMark, more = false, bytes = text) =>
    encodeMessageFragment({ ...mark, action: false, more, text: bytes });
  const mark = (epoch: number | bigint, sequence: number | bigint) => ({
    epoch: BigInt(epoch),
    sequence: BigInt(sequence),
  });
  const MAX = 0xffff_ffff_ffff_ffffn;

  it("says hello twice, late, and with nonsense in it", async () => {
    await arrive(world, null);
    const { story, mallory, alice, aliceSees } = world;
    mallory.acknowledges = true;
    mallory.lossless(16); // a toxcore peer, then
    const plain = aliceSees.mallory.send("plain");
    await story.until("delivery", () => plain.state === "delivered");
    const header = encodeHello(HELLO);
    const hellos = [
      [150],
      [150, 0],
      [150, 0, 1, 0, 0, 0],
      [150, 0, 0, 0, 0, 0, 1],
      [150, 0, 255, 255, 255, 255, 254],
      [...header, 1],
      [...header, 1, 0],
      [...header, 1, 0, 16],
      [...header, 1, 0, 15, ...new Uint8Array(15)],
      [...header, 1, 255, 255, ...new Uint8Array(100)],
      [...header, 9, 0, 0, 9, 0, 0, 9, 4, 0, ...new Uint8Array(1024)],
      [...header, 1, 0, 16, ...new Uint8Array(16).fill(255), 1, 0, 16, ...new Uint8Array(16)],
      [...header, ...new Uint8Array(1365)],
    ];
    for (const hello of hellos) mallory.lossless(Uint8Array.from(hello.slice(0, 1373)));
    await story.pass(50);
    mallory.lossless(header); // and one of ours, after all
    mallory.lossless(header);
    mallory.lossless(fragment(mark(1, 1)));
    await story.pass(50);
    expect(alice.heard.all("message").map((event) => event.text)).toEqual(["text"]);
    const numbered = aliceSees.mallory.send("numbered");
    await story.pass(500);
    expect(numbered.state).toBe("sent"); // his stack has it: that no longer counts
    mallory.lossless(64, text); // one of ours may say this as well
    await stillListens(world);
    await allIsWell(world);
  });

  it("numbers messages as he likes", async () => {
    await arrive(world);
    const { story, mallory, alice } = world;
    const sequences = [0, 1, 1, 3, 2, MAX, MAX, 4];
    for (const sequence of sequences) mallory.lossless(fragment(mark(1, sequence)));
    await story.pass(50);
    expect(alice.heard.all("message").length).toBe(3);
    for (let epoch = 0; epoch < 3000; epoch++) {
      mallory.lossless(fragment(mark(epoch, 1)));
      if (epoch % 100 === 0) await story.pass(1);
    }
    await story.pass(100);
    const entries = world.journal.entries;
    for (let i = 0; i < 3000; i++) {
      mallory.lossless(fragment(mark(2999, 1)));
      if (i % 100 === 0) await story.pass(10);
    }
    await story.pass(100);
    expect(world.journal.entries - entries).toBeLessThan(3);
    expect(alice.heard.all("message").length).toBe(3003);
    expect(dropsOf(world, "friendPacket.replayed")).toBe(3004);
    await stillListens(world);
    await allIsWell(world);
  });

  it("begins messages and never ends them, or makes them too long", async () => {
    await arrive(world);
    const { story, mallory, alice } = world;
    const long = new Uint8Array(1354).fill(65);
    for (let i = 1; i <= 500; i++) mallory.lossless(fragment(mark(1, i), true, long));
    for (let i = 0; i < 2000; i++) mallory.lossless(fragment(mark(2, 1), true, long));
    for (let i = 0; i < 3000; i++) mallory.lossless(fragment(mark(3, 1), true, long.subarray(0, 1)));
    mallory.lossless(fragment(mark(4, 2), true));
    mallory.lossless(fragment(mark(4, 1), false));
    mallory.lossless(fragment(mark(4, 2), false));
    mallory.lossless(150, 1, new Uint8Array(16), 0);
    mallory.lossless(150, 1, new Uint8Array(16).fill(1), 255);
    for (let i = 3; i < 256; i++) mallory.lossless(150, i, long);
    await story.pass(200);
    expect(alice.heard.all("message").map((event) => event.text)).toEqual(["text", "text"]);
    expect(dropsOf(world, "friendPacket.oversized")).toBeGreaterThan(500);
    await stillListens(world);
    await allIsWell(world);
  });

  it("says that he has handled what he never got", async () => {
    await arrive(world);
    const { story, mallory, alice, aliceSees } = world;
    const first = aliceSees.mallory.send("first");
    await story.pass(50);
    const sent = mallory.of(150).find(({ data }) => data[1] === 1)?.data as Uint8Array;
    const epoch = sent.subarray(2, 10);
    const handled = (sequence: number) =>
      concatBytes(Uint8Array.of(150, 2), epoch, new Uint8Array(7), Uint8Array.of(sequence));
    mallory.lossless(encodeHandled(mark(0, 5))); // of nobody's epoch
    mallory.lossless(encodeHandled(mark(MAX, MAX)));
    mallory.lossless(150, 2, epoch, new Uint8Array(8)); // none yet
    mallory.lossless(150, 2, epoch);
    mallory.lossless(150, 2, epoch, new Uint8Array(9));
    await story.pass(50);
    expect(first.state).toBe("sent");
    mallory.lossless(handled(200)); // his to say of himself, for what has been sent …
    await story.pass(50);
    expect(first.state).toBe("delivered");
    expect(alice.heard.all("delivered").length).toBe(1);
    mallory.kill();
    await story.pass(1000);
    const later = [aliceSees.mallory.send("second"), aliceSees.mallory.send("third")];
    mallory.lossless(handled(200));
    await arrive(world, { ...HELLO, handled: { epoch: readU64(epoch, 0), sequence: MAX } }); // … but not of what has not
    await story.pass(50);
    expect(later.map(({ state }) => state)).toEqual(["sent", "sent"]);
    mallory.lossless(handled(2));
    mallory.lossless(handled(1));
    await story.pass(50);
    expect(later.map(({ state }) => state)).toEqual(["delivered", "sent"]);
    mallory.kill();
    await allIsWell(world);
    expect(later.map(({ state }) => state)).toEqual(["delivered", "delivered"]);
    const honest = world.story.people.at(-1);
    expect(honest?.heard.all("message").map((event) => event.text)).toEqual(["third"]);
  });

  it("is removed, or everything is closed, in the middle of what he says", async () => {
    for (const end of ["remove", "close"] as const) {
      await using other = await meet();
      await arrive(other);
      const { story, mallory, alice, aliceSees } = other;
      let shown = 0;
      let closed: Promise<void> | undefined;
      alice.tox.on("message", () => {
        if (++shown !== 5) return;
        if (end === "remove") aliceSees.mallory.remove();
        else closed = alice.tox.close();
      });
      const first = mallory.number;
      for (let i = 1; i < 50; i++) mallory.inner(fragment(mark(1, i + 1)), { number: first + i });
      await story.pass(50);
      mallory.inner(fragment(mark(1, 1)), { number: first }); // and all the others with it
      for (let i = 50; i < 100; i++) mallory.inner(fragment(mark(1, i + 1)), { number: first + i });
      await story.pass(1000);
      if (closed) await story.universe.wait(closed);
      expect(shown).toBe(5);
      expect(mallory.of(2).length).toBe(1);
      if (end === "close") expect(alice.host.edges.clock.pending).toBe(0);
      else await talk(story, [other.bob, other.bobSees], [alice, aliceSees.bob]);
    }
  });

  it("floods an app that never finishes with a message", async () => {
    await arrive(world);
    const { story, mallory, alice, aliceSees } = world;
    let shown = 0;
    const off = alice.tox.on("message", ({ friend }) => {
      if (friend !== aliceSees.mallory) return undefined;
      shown++;
      return new Promise(() => {});
    });
    const before = established(world);
    for (let sequence = 1; sequence <= 10_000; sequence++) {
      if (mallory.of(2).length > 0) {
        mallory.heard.length = 0;
        mallory.handshake();
        await story.pass(20);
        mallory.goOnline();
      }
      mallory.lossless(fragment(mark(1, sequence)));
      if (sequence % 10 === 0) await story.pass(1);
    }
    await story.pass(1000);
    expect(shown).toBe(4096);
    expect(established(world) - before).toBeLessThan(30);
    expect(dropsOf(world, "friendPacket.rate-limited")).toBeGreaterThan(0);
    off();
    mallory.kill();
    await story.pass(40_000);
    await talkPlainly(world);
  });
});
