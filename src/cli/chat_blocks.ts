import { type Friend, parseToxUri, type Tox } from "../index.ts";
import type { ChatScreen } from "./chat_screen.ts";

export interface ChatBlocksOptions {
  readonly tox: Tox;
  readonly screen: ChatScreen;
  readonly label: (friend: Friend) => string;
  /** By what a person types. Throws where no one friend is meant. */
  readonly find: (who: string) => Friend;
}

/** People in `chat` of whom nothing is wanted. */
export class ChatBlocks {
  readonly #options: ChatBlocksOptions;

  constructor(options: ChatBlocksOptions) {
    this.#options = options;
  }

  /** `who`: a friend, or a stranger's public key or Tox ID. Answers the key. */
  async set(who: string, on: boolean): Promise<string> {
    const { tox, screen } = this.#options;
    const publicKey = keyIn(who) ?? this.#options.find(who).publicKey;
    await tox.block(publicKey, on);
    screen.print(`* ${this.#nameOf(publicKey)} is ${on ? "blocked: they see you offline" : "no longer blocked"}`);
    return publicKey;
  }

  list(): void {
    const { tox, screen } = this.#options;
    if (tox.blocked.length === 0) screen.print("Nobody is blocked.");
    for (const publicKey of tox.blocked) screen.print(`  ${this.#nameOf(publicKey)}  ${publicKey}`);
  }

  #nameOf(publicKey: string): string {
    const friend = this.#options.tox.friend(publicKey);
    return friend ? this.#options.label(friend) : `${publicKey.slice(0, 12)}…`;
  }
}

function keyIn(who: string): string | undefined {
  if (/^[0-9a-f]{64}$/i.test(who)) return who.toUpperCase();
  return /^(tox:.*|[0-9a-f]{76})$/i.test(who) ? parseToxUri(who).id.slice(0, 64) : undefined;
}
