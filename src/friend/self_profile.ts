import { fromUtf8, utf8 } from "../util/text.ts";
import { ToxError } from "../util/tox_error.ts";
import { isUserStatus, MAX_NAME_SIZE, MAX_STATUS_MESSAGE_SIZE, type UserStatus } from "../wire/friend/presence.ts";
import type { OwnWords } from "./known_friend.ts";

/** What we tell all friends of ourselves. */
export class SelfProfile {
  #name = "";
  #nameBytes: Uint8Array = new Uint8Array(0);
  #statusMessage = "";
  #statusMessageBytes: Uint8Array = new Uint8Array(0);
  #status: UserStatus = "none";

  get name(): string {
    return this.#name;
  }

  get nameBytes(): Uint8Array {
    return this.#nameBytes;
  }

  get statusMessage(): string {
    return this.#statusMessage;
  }

  get statusMessageBytes(): Uint8Array {
    return this.#statusMessageBytes;
  }

  get status(): UserStatus {
    return this.#status;
  }

  /** What an earlier instance told. */
  restore({ name, statusMessage, status }: OwnWords): void {
    this.#name = fromUtf8(name);
    this.#nameBytes = name;
    this.#statusMessage = fromUtf8(statusMessage);
    this.#statusMessageBytes = statusMessage;
    this.#status = status;
  }

  /** Each setter answers whether anything changed. Throws `name-too-long` beyond 128 bytes of UTF-8. */
  setName(name: string): boolean {
    const bytes = utf8(name);
    if (bytes.length > MAX_NAME_SIZE) {
      throw new ToxError("name-too-long", `Shorten the name to ${MAX_NAME_SIZE} bytes; it has ${bytes.length}.`);
    }
    if (name === this.#name) return false;
    this.#name = name;
    this.#nameBytes = bytes;
    return true;
  }

  /** Throws `status-message-too-long` beyond 1007 bytes of UTF-8. */
  setStatusMessage(text: string): boolean {
    const bytes = utf8(text);
    if (bytes.length > MAX_STATUS_MESSAGE_SIZE) {
      throw new ToxError(
        "status-message-too-long",
        `Shorten the status message to ${MAX_STATUS_MESSAGE_SIZE} bytes; it has ${bytes.length}.`,
      );
    }
    if (text === this.#statusMessage) return false;
    this.#statusMessage = text;
    this.#statusMessageBytes = bytes;
    return true;
  }

  setStatus(status: UserStatus): boolean {
    if (!isUserStatus(status)) throw new ToxError("invalid-argument", `Give a status of "none", "away" or "busy".`);
    if (status === this.#status) return false;
    this.#status = status;
    return true;
  }
}
