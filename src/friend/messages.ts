import type { PublicKey } from "../crypto/keys.ts";
import { toHex, writeU64 } from "../util/bytes.ts";
import { fromUtf8, utf8 } from "../util/text.ts";
import { ToxError } from "../util/tox_error.ts";
import {
  Capability,
  decodeHandled,
  decodeHello,
  decodeMessageFragment,
  EXTENSION_VERSION,
  ExtensionSubtype,
  encodeHello,
  encodeMessageFragment,
  isHello,
  MAX_FRAGMENT_SIZE,
  type MessageMark,
} from "../wire/friend/extension.ts";
import { decodeMessage, encodeMessage, MAX_MESSAGE_SIZE } from "../wire/friend/message.ts";
import type { FriendContext, FriendLink } from "./context.ts";
import type { ExtensionExtras } from "./extension_extras.ts";
import type { Friend, SendOptions } from "./friend.ts";
import { Inbox } from "./inbox.ts";
import type { MessageHistory } from "./journal_replay.ts";
import type { Message, OutboxEntry } from "./message.ts";
import { expiryOf } from "./message_expiry.ts";
import { Outbox } from "./outbox.ts";

/** Messages under way and unanswered. Bounds what the peer's app has to work off, and what a broken session sends again. */
const WINDOW = 1024;

/** Who is at the other end of this session. Until it is known, messages wait. */
type PeerKind = "unknown" | "ours" | "legacy";

/** Messages with one friend: numbered and acknowledged by handlers with one of ours, plain with the rest of Tox. */
export class Messages {
  readonly #context: FriendContext;
  readonly #friend: Friend;
  readonly #link: FriendLink;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #extras: ExtensionExtras;
  #kind: PeerKind = "unknown";
  #peerCapabilities = 0;
  /** Counts sessions: an acknowledgement of an older one means nothing. */
  #generation = 0;
  /** How much of a fragmented message the session has taken. */
  #part: { readonly entry: OutboxEntry; offset: number } | undefined;
  #pumping = false;

  constructor(context: FriendContext, friend: Friend, key: PublicKey, link: FriendLink, extras: ExtensionExtras) {
    this.#context = context;
    this.#extras = extras;
    this.#friend = friend;
    this.#link = link;
    const history = context.journal.claim(key, () => this.#history());
    this.#outbox = new Outbox(context, key, history, ({ message }) => {
      context.events.emit("expired", { friend, message });
    });
    this.#outbox.whenPlaced(() => this.#pump());
    const show = (text: Uint8Array, action: boolean, mark: MessageMark) => this.#show(text, action, mark);
    this.#inbox = new Inbox(context, key, link, show, history);
  }

  get queued(): number {
    return this.#outbox.queued;
  }

  /** What the hello of this session said; 0 without one. */
  get peerCapabilities(): number {
    return this.#peerCapabilities;
  }

  pending(): Message[] {
    return this.#outbox.unsettled().map((entry) => entry.message);
  }

  /** Throws `message-empty`, `message-too-long`, `queue-full`, `invalid-argument`. */
  send(text: string, options: SendOptions): Message {
    const bytes = utf8(text);
    if (bytes.length === 0) throw new ToxError("message-empty", "Write something: empty messages are not sent.");
    if (bytes.length > MAX_MESSAGE_SIZE) {
      const advice = `Split the message: it has ${bytes.length} bytes, and ${MAX_MESSAGE_SIZE} fit.`;
      throw new ToxError("message-too-long", advice);
    }
    const expiresAt = expiryOf(options, this.#context.clock);
    const message = this.#outbox.enqueue(bytes, options.action ?? false, expiresAt);
    this.#pump();
    return message;
  }

  /** What one of ours says right behind ONLINE. */
  hello(): Uint8Array {
    const capabilities = Capability.NumberedMessages | this.#extras.capabilities | this.#context.floors.capabilities;
    const hello = { version: EXTENSION_VERSION, capabilities };
    const handled = this.#inbox.safe;
    return encodeHello(handled ? { ...hello, handled } : hello);
  }

  /**
   * The packets behind the peer's ONLINE. The very next one tells who he is: ours sends ONLINE and hello in one breath, and
   * the stream has no gaps; toxcore sends anything else.
   */
  observe(packet: Uint8Array): void {
    if (this.#kind !== "unknown" || isHello(packet)) return;
    this.#kind = "legacy";
    this.#pump();
  }

  handlePlain(packet: Uint8Array): void {
    const message = decodeMessage(packet, this.#context.drop);
    if (message) this.#show(message.text, message.action);
  }

  handleExtension(packet: Uint8Array): void {
    const { drop } = this.#context;
    const subtype = packet[1];
    if (subtype === ExtensionSubtype.Hello) {
      this.#handleHello(packet);
    } else if (this.#kind !== "ours") {
      drop("unsolicited");
    } else if (subtype === ExtensionSubtype.Message) {
      const fragment = decodeMessageFragment(packet, drop);
      if (fragment) this.#inbox.receive(fragment);
    } else if (subtype === ExtensionSubtype.Handled) {
      const mark = decodeHandled(packet, drop);
      if (mark) this.#announce(this.#outbox.handledUpTo(mark));
      this.#pump();
    } else if (!this.#extras.handle(packet) && !this.#context.floors.extension(this.#friend, packet)) {
      drop("unknown-id");
    }
  }

  /** The session is gone, or the peer has left it. */
  sessionLost(): void {
    this.#kind = "unknown";
    this.#peerCapabilities = 0;
    this.#generation++;
    this.#part = undefined;
    this.#outbox.sessionLost();
    this.#inbox.sessionLost();
  }

  writable(): void {
    this.#inbox.writable();
    this.#pump();
  }

  stop(outcome: "closed" | "cancelled"): void {
    this.#inbox.stop();
    this.sessionLost();
    this.#outbox.settleAll(outcome);
  }

  #handleHello(packet: Uint8Array): void {
    const hello = decodeHello(packet, this.#context.drop);
    const numbered = hello !== undefined && (hello.capabilities & Capability.NumberedMessages) !== 0;
    if (this.#kind !== "ours") this.#kind = numbered ? "ours" : "legacy";
    if (hello) {
      this.#peerCapabilities = hello.capabilities;
      this.#extras.peerHas(hello.capabilities);
    }
    if (hello?.handled) this.#announce(this.#outbox.handledUpTo(hello.handled));
    this.#pump();
  }

  #show(text: Uint8Array, action: boolean, mark?: MessageMark): Promise<void>[] {
    const receivedAt = this.#context.clock.wall();
    const event = { friend: this.#friend, text: fromUtf8(text), action, receivedAt };
    return this.#context.events.emit("message", mark ? { ...event, id: idOf(mark) } : event);
  }

  #announce(delivered: readonly OutboxEntry[]): void {
    for (const { message } of delivered) this.#context.events.emit("delivered", { friend: this.#friend, message });
  }

  /** Hands over messages as long as the session takes them. */
  #pump(): void {
    if (this.#pumping || this.#kind === "unknown") return;
    this.#pumping = true;
    while (this.#outbox.underWay < WINDOW) {
      const entry = this.#outbox.peekNext();
      if (entry === undefined) break;
      const sent = this.#kind === "ours" ? this.#sendNumbered(entry) : this.#sendPlain(entry);
      if (!sent) break;
      this.#outbox.markSent(entry);
    }
    this.#pumping = false;
  }

  #sendPlain(entry: OutboxEntry): boolean {
    const generation = this.#generation;
    return this.#link.send(encodeMessage({ action: entry.action, text: entry.bytes }), "message", () => {
      if (generation !== this.#generation || !this.#outbox.delivered(entry)) return;
      this.#announce([entry]);
      this.#pump();
    });
  }

  #sendNumbered(entry: OutboxEntry): boolean {
    let offset = this.#part?.entry === entry ? this.#part.offset : 0;
    while (offset < entry.bytes.length) {
      const end = Math.min(offset + MAX_FRAGMENT_SIZE, entry.bytes.length);
      const { sequence, action } = entry;
      const text = entry.bytes.subarray(offset, end);
      const more = end < entry.bytes.length;
      const packet = encodeMessageFragment({ epoch: this.#outbox.epoch, sequence, action, more, text });
      if (!this.#link.send(packet, "message")) {
        this.#part = { entry, offset };
        return false;
      }
      offset = end;
    }
    this.#part = undefined;
    return true;
  }

  #history(): MessageHistory {
    const { place } = this.#outbox;
    const { handled, handledEarly } = this.#inbox;
    const epoch = place?.epoch ?? 0n;
    const queued = this.#outbox.unsettled().map(({ number, sequence, action, bytes, expiresAt }) => {
      return { number, epoch, sequence, action, bytes, expiresAt };
    });
    return { queued, handledEarly, ...(place && { place }), ...(handled && { handled }) };
  }
}

function idOf({ epoch, sequence }: MessageMark): string {
  const bytes = new Uint8Array(16);
  writeU64(bytes, 0, epoch);
  writeU64(bytes, 8, sequence);
  return toHex(bytes);
}
