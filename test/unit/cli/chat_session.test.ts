import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { ChatScreen } from "../../../src/cli/chat_screen.ts";
import { ChatSession } from "../../../src/cli/chat_session.ts";
import { bytesSource, type Friend, Tox } from "../../../src/index.ts";
import { scratch } from "../../support/scratch.ts";

const newFolder = scratch();
const quiet = { bindIpv4: "127.0.0.1", ipv6: false, port: 0 };

/** Alice's chat without a terminal, and her friend Bob, who is online. */
class Chat implements AsyncDisposable {
  readonly alice: Tox;
  readonly bob: Tox;
  /** Alice, as Bob has her. */
  readonly friend: Friend;
  readonly #input = new PassThrough();
  readonly #ended: Promise<void>;
  #shown = "";
  #look = () => {};

  private constructor(alice: Tox, bob: Tox, friend: Friend) {
    this.alice = alice;
    this.bob = bob;
    this.friend = friend;
    const output = new PassThrough().on("data", (chunk) => {
      this.#shown += chunk;
      this.#look();
    });
    this.#ended = new ChatSession(alice, new ChatScreen(this.#input, output), []).run(new AbortController().signal);
  }

  static async start(): Promise<Chat> {
    const bob = await Tox.create({ ...quiet, name: "Bob" });
    const bootstrap = [{ host: "127.0.0.1", port: bob.udpPort, publicKey: bob.dhtPublicKey }];
    const alice = await Tox.create({ ...quiet, bootstrap });
    const friend = await bob.addFriendWithoutRequest(alice.publicKey);
    await alice.addFriendWithoutRequest(bob.publicKey);
    const chat = new Chat(alice, bob, friend);
    await chat.shows("is online");
    return chat;
  }

  type(line: string): void {
    this.#input.write(`${line}\n`);
  }

  /** Resolves when it has been shown; what stands up to its end is not looked at again. */
  shows(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.#look = () => {
        const at = this.#shown.indexOf(text);
        if (at < 0) return;
        this.#shown = this.#shown.slice(at + text.length);
        this.#look = () => {};
        resolve();
      };
      this.#look();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.type("/quit");
    await this.#ended;
    await this.alice.close();
    await this.bob.close();
  }
}

it("a friend's new name is told beside the one that he had", async () => {
  await using chat = await Chat.start();
  await chat.shows(`* ${chat.bob.publicKey.slice(0, 12)}… is called Bob\n`);
  chat.bob.name = "Robert";
  await chat.shows("* Bob is called Robert\n");
});

it("/nospam changes the Tox ID and nothing else", async () => {
  await using chat = await Chat.start();
  const { id, publicKey } = chat.alice;
  chat.type("/nospam");
  await chat.shows("* your Tox ID is another one now");
  await chat.shows(`${chat.alice.id}\n`);
  expect(chat.alice.id).not.toBe(id);
  expect(chat.alice.publicKey).toBe(publicKey);
  expect(chat.alice.friends.length).toBe(1);
});

it("an offer stays until it is taken to a place that is there, or refused by its number", async () => {
  await using chat = await Chat.start();
  const folder = newFolder();
  const [one, two] = ["one", "two"].map((name) => chat.friend.sendFile(bytesSource(Buffer.from(name), name)));
  await chat.shows("offers two");
  for (const wrong of ["/take 0", "/take 3", "/reject 0", "/reject nobody", "/reject 1.5"]) {
    chat.type(wrong);
    await chat.shows("There is no such offer. /files lists them.\n");
  }
  chat.type(`/take 1 ${join(folder, "none", "one")}`);
  await chat.shows("There is no folder");
  chat.type("/files");
  await chat.shows("offer 1  one");
  await chat.shows("offer 2  two");
  chat.type("/reject 2");
  await chat.shows("* two was refused\n");
  expect(await two?.done).toEqual({ state: "cancelled", by: "them" });
  chat.type(`/take ${join(folder, "one")}`);
  await chat.shows("is there (3 B)");
  expect(await one?.done).toEqual({ state: "done" });
  expect(readFileSync(join(folder, "one"), "utf8")).toBe("one");
});
