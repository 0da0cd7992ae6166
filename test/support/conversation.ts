import assert from "node:assert/strict";
import type { Friend } from "../../src/core.ts";
import type { Person, Story } from "./people.ts";

export type Side = readonly [person: Person, friend: Friend];

const WORD_MS = 200;

/** Two who say a word every 200 ms, each, whatever happens, and listen. */
export class Conversation {
  readonly #story: Story;
  readonly #sides: readonly [Side, Side];
  readonly #saidAt: number[] = []; // by word; bounded by the test
  readonly #heard: readonly [string[], string[]] = [[], []]; // bounded by the test
  #longest = 0;

  constructor(story: Story, one: Side, other: Side) {
    this.#story = story;
    this.#sides = [one, other];
    for (const [i, [{ tox }]] of this.#sides.entries()) {
      tox.on("message", ({ text }) => {
        const took = story.universe.now - (this.#saidAt[Number(text)] ?? 0);
        this.#heard[i as 0 | 1].push(text);
        this.#longest = Math.max(this.#longest, took);
      });
    }
  }

  /** They talk for so long, in virtual ms. Answers the longest that a word has taken meanwhile, or takes still. */
  async over(ms: number): Promise<number> {
    const { universe } = this.#story;
    this.#longest = 0;
    for (const end = universe.now + ms; universe.now < end; ) {
      const text = String(this.#saidAt.length);
      this.#saidAt.push(universe.now);
      for (const [, friend] of this.#sides) friend.send(text);
      await this.#story.pass(WORD_MS);
    }
    const oldest = Math.min(...this.#heard.map(({ length }) => this.#saidAt[length] ?? universe.now));
    return Math.max(this.#longest, universe.now - oldest);
  }

  /** All that was said has been heard, once and in order. */
  async ends(): Promise<void> {
    await this.#story.until("all to be delivered", () => this.#sides.every(([, friend]) => friend.queued === 0));
    const words = this.#saidAt.map((_, i) => String(i));
    assert.deepEqual(this.#heard, [words, words]);
  }
}
