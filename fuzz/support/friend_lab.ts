import { MemoryLogger } from "../../src/testing/memory_logger.ts";
import { toHex } from "../../src/util/bytes.ts";
import { World } from "../../test/unit/friend/world.ts";
import { Broken, expectThat } from "./broken.ts";
import { Census } from "./census.ts";
import { Mallory } from "./mallory.ts";
import { Talker } from "./talker.ts";
import { computed } from "./unhurried.ts";

const MAX_EVENTS = 60_000;

const census = new Census({
  "#context.requests.#senders": 32,
  "#cores.#entries.[].value.messages.#inbox.#unhandled": 4096,
  "#cores.#entries.[].value.messages.#outbox.#entries": 65_536,
});

/** Alice and Bob, whose clients are ours, and Mallory, whom both have on their lists. */
export class FriendLab {
  readonly #logger = new MemoryLogger(20);
  readonly world = new World("friends", this.#logger);
  readonly mallory = new Mallory(this.world);
  readonly alice = new Talker(this.world, "alice", this.mallory);
  readonly bob = new Talker(this.world, "bob", this.mallory);
  slowest = 0;

  async begin(): Promise<void> {
    await this.alice.begin(this.bob);
    await this.bob.begin(this.alice);
    this.addMallory();
    await this.pass(100);
  }

  addMallory(): void {
    const friends = this.alice.person?.friends;
    if (friends?.get(this.mallory.publicKey) === undefined) friends?.addWithoutRequest(this.mallory.publicKey);
  }

  /** Lets time pass; what awaits goes as far as it can after each event. */
  async pass(ms: number): Promise<void> {
    const { timeline } = this.world;
    const end = timeline.now + ms;
    for (let events = 0; ; events++) {
      const start = computed();
      if (!timeline.step(end)) break;
      this.slowest = Math.max(this.slowest, computed() - start);
      await settled();
      if (events > MAX_EVENTS) throw new Broken(`${MAX_EVENTS} events within ${ms} ms`);
    }
    timeline.advance(end);
  }

  /** The client ends, with a good-bye or without, and begins anew on the same store. */
  async restart(talker: Talker, how: "close" | "crash"): Promise<void> {
    await this.#end(talker, how);
    await talker.begin(talker === this.alice ? this.bob : this.alice);
    if (talker === this.alice) this.addMallory();
  }

  /** A friend request reaches Alice through the onion. */
  request(sender: string, data: Uint8Array): void {
    const { alice } = this;
    const { publicKey } = this.world.keys(sender);
    const before = alice.requests.length;
    alice.person?.finder.requestHandler?.(publicKey, data);
    for (const shown of alice.requests.slice(before)) expectThat(shown === toHex(publicKey), "another one asks");
  }

  /** The network works from now on, and nobody is lost. */
  async close(isThorough: boolean): Promise<void> {
    const { alice, bob, world, mallory } = this;
    if (isThorough && alice.person !== undefined) census.check(alice.person.friends);
    mallory.accepts = false;
    Object.assign(world.link, { minDelay: 1, maxDelay: 20, queueLimit: 1000 });
    for (const [one, other] of [[alice, bob] as const, [bob, alice] as const]) {
      one.isSlow = false;
      one.finish(Number.POSITIVE_INFINITY);
      one.say(other, 40);
    }
    await settled();
    await this.pass(300_000);
    alice.checkHeardAll(bob);
    bob.checkHeardAll(alice);
    for (const talker of [alice, bob]) await this.#end(talker, "close");
    const failure = this.#logger.lines.find(({ level }) => level === "error");
    expectThat(failure === undefined, () => `${failure?.message}: ${JSON.stringify(failure?.fields)}`);
  }

  async #end({ person, name }: Talker, how: "close" | "crash"): Promise<void> {
    if (person === undefined) return;
    if (how === "close") {
      person.alive = false;
      await person.friends.close();
      const { pending } = person.clock;
      expectThat(pending === 0, () => `${pending} timers of ${name} are left after the end`);
    }
    await this.world.stop(person, "crash");
  }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await undefined;
}
