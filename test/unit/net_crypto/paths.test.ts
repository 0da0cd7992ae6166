import { expect, it } from "vitest";
import { PATH_SILENT_AFTER } from "../../../src/net_crypto/limits.ts";
import { Paths } from "../../../src/net_crypto/paths.ts";
import { makeEndpoint } from "../../../src/util/endpoint.ts";

/** Times with fractions, of which some are such that a + b - a < b. */
const TIMES = Array.from({ length: 1000 }, (_, i) => i * Math.PI * 100);

it("takes a path for silent when the timer for that fires, whatever the time", () => {
  const early = TIMES.filter((time) => {
    const paths = new Paths({ bind: () => {}, unbind: () => {} });
    const path = paths.addEndpoint(makeEndpoint(Uint8Array.of(198, 18, 0, 1), 33445), undefined, 0);
    paths.addRelay({ send: () => true }, 0);
    paths.use(path);
    paths.received(path, time);
    expect(paths.wantsBetter(time + PATH_SILENT_AFTER - 1)).toBe(false);
    return !paths.wantsBetter(paths.silentAt);
  });
  expect(early).toEqual([]);
});
