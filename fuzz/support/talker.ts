import type { PublicKey } from "../../src/crypto/keys.ts";
import { memoryStore } from "../../src/env/memory_store.ts";
import type { ConnectionState, Friend } from "../../src/friend/friend.ts";
import type { Message } from "../../src/friend/message.ts";
import type { Person, World } from "../../test/unit/friend/world.ts";
import { expectThat } from "./broken.ts";
import { type Mallory, wordsOf } from "./mallory.ts";

export const NOSPAM = 7;

/** A person whose client keeps the rules, over all lives of it, and what his app sees. */
export class Talker {
  readonly name: string;
  readonly store = memoryStore();
  person: Person | undefined;
  /** Messages to the other talker, and those of them that were taken back. */
  readonly messages: Message[] = [];
  readonly cancelled = new Set<string>();
  /** Messages that were shown in this life, up to this number, and all that the app was done with in any life. */
  shownUpTo = -1;
  readonly shown = new Set<string>();
  readonly done = new Set<string>();
  /** Whether the app takes its time with messages. */
  isSlow = false;
  /** Senders of friend requests, as the app was shown them. */
  readonly requests: string[] = [];
  hostileTexts = 0;
  journaled = 0;
  #said = 0;
  readonly #busy: (() => void)[] = [];
  readonly #receipts = new Set<Message>();
  readonly #states = new Map<Friend, ConnectionState>();
  readonly #world: World;
  readonly #mallory: Mallory;

  constructor(world: World, name: string, mallory: Mallory) {
    this.#world = world;
    this.name = name;
    this.#mallory = mallory;
    const append = this.store.append.bind(this.store);
    this.store.append = (entry) => {
      this.journaled++;
      return append(entry);
    };
  }

  get publicKey(): PublicKey {
    return this.#world.keys(this.name).publicKey;
  }

  /** A new life, on the same store. */
  async begin(other: Talker): Promise<void> {
    const person = await this.#world.person(this.name, this.store, NOSPAM);
    this.person = person;
    this.shownUpTo = -1;
    this.#states.clear();
    this.#busy.length = 0;
    const { friends } = person;
    const isAlive = () => this.person === person; // what happens in a process that was killed is nobody's concern
    friends.on("message", ({ friend, text }) => (isAlive() ? this.#show(friend, text, other) : undefined));
    friends.on("delivered", ({ friend, message }) => isAlive() && this.#checkReceipt(friend, message, other));
    friends.on("friendConnection", ({ friend, state }) => isAlive() && this.#checkChange(friend, state));
    friends.on("friendRequest", ({ publicKey }) => this.requests.push(publicKey));
    friends.on("packet", () => {});
    friends.addWithoutRequest(other.publicKey);
  }

  friend(other: { readonly publicKey: PublicKey }): Friend | undefined {
    return this.person?.friends.get(other.publicKey);
  }

  say(to: Talker, length: number): void {
    const words = `${this.name} ${this.#said}`;
    const message = this.friend(to)?.send(`${words}.`.padEnd(length, "."), { action: this.#said % 3 === 0 });
    if (message === undefined) return;
    this.#said++;
    this.messages.push(message);
  }

  sayToMallory(length: number): void {
    this.friend(this.#mallory)?.send(`to mallory ${this.#said++}.`.padEnd(length, "."));
  }

  cancel(message: Message | undefined): void {
    if (message?.cancel()) this.cancelled.add(wordsOf(message.text));
  }

  /** The app is done with so many of the messages that it was shown. */
  finish(count: number): void {
    for (const resolve of this.#busy.splice(0, count)) resolve();
  }

  /** Each message that was not taken back has been shown. */
  checkHeardAll(other: Talker): void {
    for (const { text } of other.messages) {
      const words = wordsOf(text);
      expectThat(this.shown.has(words) || other.cancelled.has(words), () => `"${words}" was never shown`);
    }
  }

  #show(friend: Friend, text: string, other: Talker): undefined | Promise<void> {
    if (friend !== this.friend(other)) {
      expectThat(friend === this.friend(this.#mallory), "a message comes from nobody");
      this.hostileTexts++;
      expectThat(this.hostileTexts <= this.#mallory.said, "more messages are shown than were said");
      return this.isSlow ? new Promise((resolve) => this.#busy.push(resolve)) : undefined;
    }
    const words = wordsOf(text);
    const number = Number(words.slice(other.name.length + 1));
    expectThat(words.startsWith(other.name), () => `"${words}" is shown, which nobody said`);
    expectThat(number > this.shownUpTo, () => `"${words}" is shown behind ${this.shownUpTo}`);
    this.shownUpTo = number;
    this.shown.add(words);
    if (!this.isSlow) {
      this.done.add(words);
      return undefined;
    }
    return new Promise((resolve) => {
      this.#busy.push(() => {
        this.done.add(words);
        resolve();
      });
    });
  }

  #checkReceipt(friend: Friend, message: Message, other: Talker): void {
    expectThat(!this.#receipts.has(message), "a receipt comes twice");
    this.#receipts.add(message);
    const words = wordsOf(message.text);
    expectThat(message.state === "delivered", "a receipt comes for what is not delivered");
    if (friend === this.friend(other)) {
      expectThat(other.done.has(words), () => `a receipt for "${words}", which was not handled`);
    } else {
      expectThat(this.#mallory.texts.has(words), () => `a receipt for "${words}", which was never sent`);
    }
  }

  #checkChange(friend: Friend, state: ConnectionState): void {
    const before = this.#states.get(friend) ?? "none";
    expectThat(state !== before, () => `the connection is ${state} again`);
    expectThat(friend.connection === state, "an event tells another state than there is");
    this.#states.set(friend, state);
  }
}
