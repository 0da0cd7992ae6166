import { expect, it } from "vitest";
import { BAD_NETWORK } from "../support/bad_network.ts";
import { Story } from "../support/people.ts";

/** Fired timers a second: what is asked, awaited and asked again leaves far fewer. Measured: 11. */
const CALM = 50;

it("nobody spins while a bad network keeps most answers away", async () => {
  await using story = new Story({ link: BAD_NETWORK });
  const people = await story.crowd(40);
  const fired = () => people.map(({ host }) => host.edges.clock.fired);
  for (let i = 0; i < 6; i++) {
    const before = fired();
    await story.pass(5_000);
    const busiest = Math.max(...fired().map((count, j) => count - (before[j] ?? 0)));
    expect(busiest / 5).toBeLessThan(CALM);
  }
});
