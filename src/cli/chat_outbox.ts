import type { Friend, Tox } from "../index.ts";
import type { ChatScreen } from "./chat_screen.ts";
import { safeText } from "./safe_text.ts";

/** Shows so many of those that wait. */
const MOST_LISTED = 50;

export interface ChatOutboxOptions {
  readonly tox: Tox;
  readonly screen: ChatScreen;
  readonly label: (friend: Friend) => string;
}

/** Messages in `chat` that wait to be delivered. */
export class ChatOutbox {
  readonly #options: ChatOutboxOptions;
  /** What `/outbox` showed last: its numbers stay the same when some of them are delivered meanwhile. */
  #listed: readonly string[] = []; // at most MOST_LISTED

  constructor(options: ChatOutboxOptions) {
    this.#options = options;
    options.tox.on("expired", ({ friend, message }) => {
      this.#print(`* not sent to ${options.label(friend)} in time: "${safeText(message.text)}"`);
    });
  }

  list(): void {
    const queued = this.#options.tox.outbox();
    if (queued.length === 0) this.#print("Nothing waits.");
    for (const [i, { friend, message }] of queued.slice(0, MOST_LISTED).entries()) {
      this.#print(`  ${i + 1}  ${this.#options.label(friend)} (${message.state})  ${safeText(message.text)}`);
    }
    if (queued.length > MOST_LISTED) this.#print(`  and ${queued.length - MOST_LISTED} more`);
    this.#listed = queued.slice(0, MOST_LISTED).map(({ message }) => message.id);
  }

  takeBack(argument: string): void {
    const id = this.#listed[Number(argument) - 1];
    const message = id === undefined ? undefined : this.#options.tox.queuedMessage(id);
    if (message === undefined) this.#print("There is no such message. /outbox lists them.");
    else if (message.cancel()) this.#print(`* taken back: "${safeText(message.text)}"`);
    else this.#print("It is on its way already.");
  }

  #print(line: string): void {
    this.#options.screen.print(line);
  }
}
