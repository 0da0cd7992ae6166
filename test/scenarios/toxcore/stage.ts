import assert from "node:assert/strict";
import { type Friend, ToxError } from "../../../src/core.ts";
import { type Person, Story, type StoryOptions } from "../../support/people.ts";
import type { Weather } from "./weather.ts";

export interface StageOptions extends StoryOptions {
  readonly weather: Weather;
}

export interface Pair {
  readonly alice: Person;
  readonly bob: Person;
  /** Bob as Alice sees him, and Alice as Bob sees her. */
  readonly aliceSees: Friend;
  readonly bobSees: Friend;
}

/** Where a scenario is played: a story, the weather in its network, and what most scenarios begin with. */
export class Stage extends Story {
  readonly weather: Weather;

  constructor(options: StageOptions) {
    super({ link: options.weather.link, patience: options.weather.patience, ...options });
    this.weather = options.weather;
  }

  /** Two friends who are online, in a network with two nodes that are nobody's. */
  async twoFriends(): Promise<Pair> {
    await this.crowd(2);
    const alice = await this.person("Alice");
    const bob = await this.person("Bob");
    const [aliceSees, bobSees] = await this.befriend(alice, bob);
    return { alice, bob, aliceSees, bobSees };
  }

  /** The call, which is the app's mistake, throws or rejects with this code. */
  async refuses(code: string, call: () => unknown): Promise<void> {
    await assert.rejects(
      async () => call(),
      (error) => {
        assert.ok(error instanceof ToxError, String(error));
        assert.equal(error.code, code);
        return true;
      },
    );
  }

  /** Every friendship of the person, each towards the one who sees it, is online. */
  async everybodyOnline(friends: readonly Friend[], timeout = this.patience): Promise<void> {
    await this.everybodyOver("udp", friends, timeout);
  }

  /** The same, over UDP or over relays, as said. */
  async everybodyOver(state: "tcp" | "udp", friends: readonly Friend[], timeout = this.patience): Promise<void> {
    await this.until(
      `everybody to be online over ${state}`,
      () => friends.every(({ connection }) => connection === state),
      timeout,
    );
  }
}
