import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes, readU64 } from "../../../src/util/bytes.ts";
import { encodeHandled, encodeMessageFragment } from "../../../src/wire/friend/extension.ts";
import type { HostileFriend } from "../../support/hostile_friend.ts";
import { allIsWell, arrive, meet } from "../../support/hostile_story.ts";

describe("a hostile friend", () => {
  it("does anything at all", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.array(deed, { maxLength: 150 }),
        async (seed, deeds) => {
          await using other = await meet(seed);
          const { story, mallory, alice, aliceSees } = other;
          await arrive(other);
          const told: string[] = [];
          for (const [index, deed] of deeds.entries()) {
            if (deed.kind === "told") {
              told.push(`${index}`.padEnd(1 + (deed.number % 1372), "."));
              aliceSees.mallory.send(told.at(-1) as string);
            } else {
              perform(mallory, deed);
            }
            await story.pass(deed.pause);
          }
          mallory.forget();
          await story.pass(35_000);
          await allIsWell(other);
          // he may have said of some that he had them
          const texts =
            story.people
              .at(-1)
              ?.heard.all("message")
              .map(({ text }) => text) ?? [];
          expect(texts).toEqual(told.filter((text) => texts.includes(text)));
          expect(aliceSees.mallory.queued).toBe(0);
          expect(alice.host.edges.metrics.get("netCrypto.sessions")).toBe(2);
        },
      ),
      { numRuns: 30 },
    );
  });
});

interface Deed {
  readonly kind: string;
  readonly id: number;
  readonly body: Uint8Array;
  readonly number: number;
  readonly padding: number;
  readonly skip: number;
  readonly pause: number;
}

const deed: fc.Arbitrary<Deed> = fc.record({
  kind: fc.constantFrom(
    ...["lossless", "lossless", "lossless", "lossless", "lossy", "lies", "lies", "request", "message", "message"],
    ...["handled", "kill", "handshake", "handshake", "connect", "online", "dhtKey", "again", "told", "told"],
  ),
  id: fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(1, 16, 17, 18, 24, 24, 25, 48, 49, 50, 51, 64, 65, 150),
  ),
  body: fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 1340, maxLength: 1372 })),
  number: fc.oneof(fc.integer({ min: -40, max: 40 }), fc.integer({ min: 0, max: 0xffff_ffff })),
  padding: fc.integer({ min: 0, max: 7 }),
  skip: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 300, 20_000),
  pause: fc.constantFrom(0, 0, 0, 1, 12, 200, 3000),
});

function perform(mallory: HostileFriend, { kind, id, body, number, padding, skip }: Deed): void {
  const data = concatBytes(Uint8Array.of(id), body);
  switch (kind) {
    case "lossless":
      mallory.lossless(data);
      break;
    case "lossy":
      mallory.lossy(192 + (id % 63), body);
      break;
    case "lies": {
      const bufferStart = (mallory.received + (id & 1 ? number : 0)) >>> 0;
      mallory.inner(data, { bufferStart, number: (mallory.number + number) >>> 0, padding, skip });
      break;
    }
    case "request":
      mallory.request(body);
      break;
    case "message": {
      const mark = { epoch: BigInt(id >> 6), sequence: BigInt(number >>> 0) };
      mallory.lossless(
        encodeMessageFragment({ ...mark, action: false, more: padding < 2, text: body.subarray(0, 1354) }),
      );
      break;
    }
    case "handled": {
      const sent = mallory.of(150).find((inner) => inner.data[1] === 1);
      const epoch = sent === undefined ? 0n : readU64(sent.data, 2);
      mallory.lossless(encodeHandled({ epoch, sequence: BigInt(number >>> 0) }));
      break;
    }
    case "kill":
      mallory.kill();
      break;
    case "handshake":
      if (mallory.hasCookie) mallory.handshake({ sameKeys: padding < 3 });
      break;
    case "connect":
      mallory.connect();
      break;
    case "online":
      mallory.goOnline();
      break;
    case "dhtKey":
      mallory.changeDhtKey();
      mallory.announceDhtKey(BigInt(number >>> 0));
      mallory.connect();
      break;
    case "again":
      if (mallory.lastHandshake) mallory.transmit(mallory.lastHandshake);
      break;
  }
}
