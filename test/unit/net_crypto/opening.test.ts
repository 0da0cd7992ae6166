import { describe, expect, it } from "vitest";
import { MAX_OPENING_TRIES, OPENING_INTERVAL } from "../../../src/net_crypto/limits.ts";
import { Opening } from "../../../src/net_crypto/opening.ts";
import { type Path, Paths } from "../../../src/net_crypto/paths.ts";
import { makeEndpoint } from "../../../src/util/endpoint.ts";

const PACKET = Uint8Array.of(0x18);

function setUp() {
  const paths = new Paths({ bind: () => {}, unbind: () => {} });
  const sent: Path[] = [];
  const opening = new Opening(paths, (path) => void sent.push(path));
  const add = (last: number, now: number) =>
    paths.addEndpoint(makeEndpoint(Uint8Array.of(10, 0, 0, last), 1), undefined, now);
  return { opening, sent, add };
}

describe("opening", () => {
  it("asks each path often enough and then has nothing more to do", () => {
    const { opening, sent, add } = setUp();
    add(1, 0);
    opening.requestCookies(PACKET, 0);
    let now = 0;
    for (let turns = 0; turns < 100; turns++) {
      now = opening.nextDue();
      if (!opening.onTime(now)) break;
    }
    expect(sent).toHaveLength(MAX_OPENING_TRIES);
    expect(now).toBeLessThan(MAX_OPENING_TRIES * OPENING_INTERVAL);
  });

  it("waits for a path that came later without turning in circles over one that is spent", () => {
    const { opening, sent, add } = setUp();
    add(1, 0);
    opening.requestCookies(PACKET, 0);
    let turns = 0;
    let late: Path | undefined;
    for (; turns < 100; turns++) {
      const now = opening.nextDue();
      if (!opening.onTime(now)) break;
      if (late !== undefined || now < 5000) continue;
      late = add(2, now);
      opening.sendNow(late, now);
    }
    expect(sent.filter((path) => path === late)).toHaveLength(MAX_OPENING_TRIES);
    expect(turns).toBeLessThan(2 * MAX_OPENING_TRIES + 1);
  });
});
