import { sameBytes } from "../util/bytes.ts";
import { fromUtf8 } from "../util/text.ts";
import { bareFriendPacket, FriendPacketId } from "../wire/friend/packet_ids.ts";
import {
  decodeNickname,
  decodeStatusMessage,
  decodeTyping,
  decodeUserStatus,
  encodeNickname,
  encodeStatusMessage,
  encodeTyping,
  encodeUserStatus,
  type UserStatus,
} from "../wire/friend/presence.ts";
import type { FriendContext, FriendLink } from "./context.ts";
import type { ConnectionState, Friend } from "./friend.ts";
import type { FriendPresence } from "./known_friend.ts";

/** What a friend has yet to be told, in the order in which it is told. */
export const Tell = { Online: 1, Hello: 2, Name: 4, StatusMessage: 8, Status: 16, Typing: 32 } as const;

const INTRODUCTION = Tell.Online | Tell.Hello;
const EVERYTHING = INTRODUCTION | Tell.Name | Tell.StatusMessage | Tell.Status | Tell.Typing;

const NOTHING = new Uint8Array(0);

/** Who is there and in what mood, in both directions, with one friend. */
export class Presence {
  readonly #context: FriendContext;
  readonly #friend: Friend;
  readonly #link: FriendLink;
  readonly #hello: () => Uint8Array;
  #untold = 0;
  #selfTyping = false;
  #online = false;
  #announced: ConnectionState = "none";
  #lastOnline: number | undefined;
  #name = "";
  #nameBytes: Uint8Array = NOTHING;
  #statusMessage = "";
  #statusMessageBytes: Uint8Array = NOTHING;
  #status: UserStatus = "none";
  #typing = false;

  constructor(context: FriendContext, friend: Friend, link: FriendLink, hello: () => Uint8Array) {
    this.#context = context;
    this.#friend = friend;
    this.#link = link;
    this.#hello = hello;
  }

  get online(): boolean {
    return this.#online;
  }

  /** Unix seconds. */
  get lastOnline(): number | undefined {
    return this.#online ? this.#context.clock.wall() : this.#lastOnline;
  }

  get name(): string {
    return this.#name;
  }

  get statusMessage(): string {
    return this.#statusMessage;
  }

  get status(): UserStatus {
    return this.#status;
  }

  get typing(): boolean {
    return this.#typing;
  }

  /** What is to be kept. The texts are as he wrote them, whether UTF-8 or not. */
  get known(): FriendPresence {
    const { status, lastOnline } = this;
    return { name: this.#nameBytes, statusMessage: this.#statusMessageBytes, status, lastOnline };
  }

  /** What an earlier instance was told. */
  restore({ name, statusMessage, status, lastOnline }: FriendPresence): void {
    this.#nameBytes = name;
    this.#name = fromUtf8(name);
    this.#statusMessageBytes = statusMessage;
    this.#statusMessage = fromUtf8(statusMessage);
    this.#status = status;
    this.#lastOnline = lastOnline;
  }

  /** A session is established. Nothing but ONLINE means anything to the peer before he has it. */
  sessionUp(): void {
    this.#untold = INTRODUCTION;
    this.flush();
  }

  /**
   * The peer says ONLINE. He is told again that we are: he drops it when it comes before he has added us. The app is told by
   * `announceConnection`, once the floors above have him.
   */
  handleOnline(): void {
    this.#online = true;
    const introductionWaits = (this.#untold & Tell.Hello) !== 0;
    this.#untold = introductionWaits ? this.#untold | (EVERYTHING & ~INTRODUCTION) : EVERYTHING;
    this.flush();
  }

  /** The session runs over UDP now, or over a relay. */
  pathChanged(): void {
    if (this.#online && this.#friend.connection !== this.#announced) this.announceConnection();
  }

  /** The peer has said OFFLINE, or the session is gone. */
  handleOffline(): void {
    this.#untold = 0;
    if (!this.#online) return;
    this.#lastOnline = this.#context.clock.wall();
    this.#online = false;
    const wasTyping = this.#typing;
    this.#typing = false;
    if (wasTyping) this.#context.events.emit("typing", { friend: this.#friend, on: false });
    this.announceConnection();
  }

  setSelfTyping(on: boolean): void {
    if (on === this.#selfTyping) return;
    this.#selfTyping = on;
    this.tell(Tell.Typing);
  }

  /** Something of ours has changed. */
  tell(what: number): void {
    if (!this.#online) return; // all of it is told when he comes
    this.#untold |= what;
    this.flush();
  }

  /** Sends what is untold, as far as the session takes it; what it does not take goes when there is room. */
  flush(): void {
    for (let bit = 1; bit <= this.#untold; bit <<= 1) {
      if ((this.#untold & bit) === 0) continue;
      if (!this.#link.send(this.#packet(bit), "control")) return;
      this.#untold &= ~bit;
    }
  }

  /** Handles what the peer tells of himself. Answers whether the packet was of that kind. */
  handle(packet: Uint8Array): boolean {
    switch (packet[0]) {
      case FriendPacketId.Nickname:
        this.#handleName(packet);
        return true;
      case FriendPacketId.StatusMessage:
        this.#handleStatusMessage(packet);
        return true;
      case FriendPacketId.UserStatus:
        this.#handleStatus(packet);
        return true;
      case FriendPacketId.Typing:
        this.#handleTyping(packet);
        return true;
      default:
        return false;
    }
  }

  /** Tells the app by which way he is there, or that he is not. */
  announceConnection(): void {
    this.#announced = this.#friend.connection;
    this.#context.events.emit("friendConnection", { friend: this.#friend, state: this.#announced });
  }

  #packet(bit: number): Uint8Array {
    const { profile } = this.#context;
    switch (bit) {
      case Tell.Online:
        return bareFriendPacket(FriendPacketId.Online);
      case Tell.Hello:
        return this.#hello();
      case Tell.Name:
        return encodeNickname(profile.nameBytes);
      case Tell.StatusMessage:
        return encodeStatusMessage(profile.statusMessageBytes);
      case Tell.Status:
        return encodeUserStatus(profile.status);
      default:
        return encodeTyping(this.#selfTyping);
    }
  }

  #handleName(packet: Uint8Array): void {
    const bytes = decodeNickname(packet, this.#context.drop);
    if (bytes === undefined || sameBytes(bytes, this.#nameBytes)) return;
    const name = fromUtf8(bytes);
    this.#name = name;
    this.#nameBytes = bytes.slice();
    this.#context.events.emit("friendName", { friend: this.#friend, name });
  }

  #handleStatusMessage(packet: Uint8Array): void {
    const bytes = decodeStatusMessage(packet, this.#context.drop);
    if (bytes === undefined || sameBytes(bytes, this.#statusMessageBytes)) return;
    const statusMessage = fromUtf8(bytes);
    this.#statusMessage = statusMessage;
    this.#statusMessageBytes = bytes.slice();
    this.#context.events.emit("friendStatusMessage", { friend: this.#friend, statusMessage });
  }

  #handleStatus(packet: Uint8Array): void {
    const status = decodeUserStatus(packet, this.#context.drop);
    if (status === undefined || status === this.#status) return;
    this.#status = status;
    this.#context.events.emit("friendStatus", { friend: this.#friend, status });
  }

  #handleTyping(packet: Uint8Array): void {
    const on = decodeTyping(packet, this.#context.drop);
    if (on === undefined || on === this.#typing) return;
    this.#typing = on;
    this.#context.events.emit("typing", { friend: this.#friend, on });
  }
}
