import { PeerAv } from "./av.ts";
import { avHandlers } from "./av_handlers.ts";
import { friendPublicKey, type Notify, registerCallbacks } from "./callbacks.ts";
import { create } from "./create.ts";
import { CallError, checked } from "./errors.ts";
import { PeerFiles } from "./files.ts";
import type { LoadedLibrary, Pointer } from "./library.ts";
import {
  CONNECTION_STATES,
  type CreateParams,
  type Method,
  type Methods,
  type ReadyInfo,
  USER_STATUSES,
} from "./protocol.ts";
import { ADDRESS_SIZE, bytesOf, hexOf, nameOf, PUBLIC_KEY_SIZE, pointed } from "./values.ts";

type Handlers = {
  [M in Method]: (params: Methods[M]["params"]) => Methods[M]["result"] | Promise<Methods[M]["result"]>;
};

/** One instance of the C library, iterated on its own timer. */
export class Peer {
  readonly #library: LoadedLibrary;
  readonly #tox: Pointer;
  readonly #files: PeerFiles;
  readonly #av: PeerAv | undefined;
  readonly #busy: boolean;
  readonly #udp: boolean;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  /** `sendMany`s that wait for room: each is tried again after every iteration. */
  readonly #afterIteration = new Set<() => void>();

  /** Throws `CallError` when `tox_new` fails, or `toxav_new`. */
  constructor(library: LoadedLibrary, params: CreateParams, notify: Notify) {
    this.#library = library;
    this.#tox = create(library, params);
    this.#busy = params.busy;
    this.#udp = params.udp;
    registerCallbacks(library, this.#tox, notify);
    this.#files = new PeerFiles(library, this.#tox, notify);
    this.#av = params.av ? new PeerAv(library, this.#tox, params, notify) : undefined;
    this.#schedule();
  }

  info(): ReadyInfo {
    const { tox } = this.#library;
    return {
      version: this.#library.version,
      address: this.#address(),
      publicKey: hexOf(PUBLIC_KEY_SIZE, (out) => tox.selfGetPublicKey(this.#tox, out)),
      dhtId: this.#dhtId(),
      udpPort: this.#udp ? this.#udpPort() : 0,
    };
  }

  /** Answers one request; throws or rejects with `CallError`. */
  async handle(method: string, params: never): Promise<object> {
    if (this.#closed) throw new CallError("HARNESS", "closed");
    if (!Object.hasOwn(this.#handlers, method)) throw new CallError("HARNESS", `no such method: ${method}`);
    return await this.#handlers[method as Method](params);
  }

  /** Sends the same lossless packet after every iteration as often as the send queue takes it. Answers what ends it. */
  floodLossless(friend: string, hex: string): () => void {
    const [number, bytes] = [this.#friendNumber(friend), bytesOf(hex)];
    const attempt = () => {
      while (this.#takesLossless(number, bytes));
    };
    this.#afterIteration.add(attempt);
    attempt();
    return () => this.#afterIteration.delete(attempt);
  }

  /** Tells the friends (`tox_kill` sends the kill packets) and ends the iteration. */
  #close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#av?.close();
    this.#library.tox.kill(this.#tox);
  }

  readonly #handlers: Handlers = {
    address: () => ({ address: this.#address() }),
    dhtId: () => ({ dhtId: this.#dhtId() }),
    udpPort: () => ({ udpPort: this.#udpPort() }),
    connectionStatus: () => ({ state: nameOf(CONNECTION_STATES, this.#c.selfGetConnectionStatus(this.#tox)) }),

    bootstrap: ({ host, port, publicKey }) => {
      const key = bytesOf(publicKey, PUBLIC_KEY_SIZE);
      checked("BOOTSTRAP", (error) => this.#c.bootstrap(this.#tox, host, port, key, error));
      return {};
    },

    addTcpRelay: ({ host, port, publicKey }) => {
      const key = bytesOf(publicKey, PUBLIC_KEY_SIZE);
      checked("BOOTSTRAP", (error) => this.#c.addTcpRelay(this.#tox, host, port, key, error));
      return {};
    },

    friendAdd: ({ address, message }) => {
      const bytes = bytesOf(address, ADDRESS_SIZE);
      const text = Buffer.from(message);
      const friend = checked("FRIEND_ADD", (error) =>
        this.#c.friendAdd(this.#tox, bytes, pointed(text), text.length, error),
      );
      return { friend: this.#friendKey(friend) };
    },
    friendAddNorequest: ({ publicKey }) => {
      const key = bytesOf(publicKey, PUBLIC_KEY_SIZE);
      const friend = checked("FRIEND_ADD", (error) => this.#c.friendAddNorequest(this.#tox, key, error));
      return { friend: this.#friendKey(friend) };
    },
    friendDelete: ({ friend }) => {
      const number = this.#friendNumber(friend);
      checked("FRIEND_DELETE", (error) => this.#c.friendDelete(this.#tox, number, error));
      return {};
    },
    friends: () => {
      const numbers = new Uint32Array(Number(this.#c.selfGetFriendListSize(this.#tox)));
      if (numbers.length > 0) this.#c.selfGetFriendList(this.#tox, numbers);
      return { friends: [...numbers].map((number) => this.#friendKey(number)) };
    },
    friendConnectionStatus: ({ friend }) => {
      const number = this.#friendNumber(friend);
      const state = checked("FRIEND_QUERY", (error) => this.#c.friendGetConnectionStatus(this.#tox, number, error));
      return { state: nameOf(CONNECTION_STATES, state) };
    },
    lastOnline: ({ friend }) => {
      const number = this.#friendNumber(friend);
      const seconds = checked("FRIEND_GET_LAST_ONLINE", (e) => this.#c.friendGetLastOnline(this.#tox, number, e));
      return { lastOnline: Number(seconds) };
    },

    setName: ({ name }) => {
      const bytes = Buffer.from(name);
      checked("SET_INFO", (error) => this.#c.selfSetName(this.#tox, pointed(bytes), bytes.length, error));
      return {};
    },
    setStatusMessage: ({ statusMessage }) => {
      const bytes = Buffer.from(statusMessage);
      checked("SET_INFO", (error) => this.#c.selfSetStatusMessage(this.#tox, pointed(bytes), bytes.length, error));
      return {};
    },
    setStatus: ({ status }) => {
      const value = USER_STATUSES.indexOf(status);
      if (value < 0) throw new CallError("HARNESS", `no such status: ${status}`);
      this.#c.selfSetStatus(this.#tox, value);
      return {};
    },
    setNospam: ({ nospam }) => {
      this.#c.selfSetNospam(this.#tox, nospam);
      return { address: this.#address() };
    },
    setTyping: ({ friend, on }) => {
      const number = this.#friendNumber(friend);
      checked("SET_TYPING", (error) => this.#c.selfSetTyping(this.#tox, number, on, error));
      return {};
    },

    send: ({ friend, text, hex, action }) => {
      const bytes = hex === undefined ? Buffer.from(text ?? "") : bytesOf(hex);
      return { messageId: this.#sendMessage(this.#friendNumber(friend), action ? 1 : 0, bytes) };
    },
    sendMany: ({ friend, prefix, count }) => this.#sendMany(friend, prefix, count),
    sendUntilRefused: ({ friend, prefix }) => this.#sendUntilRefused(this.#friendNumber(friend), prefix),
    sendLossless: ({ friend, hex }) => {
      const [number, bytes] = [this.#friendNumber(friend), bytesOf(hex)];
      checked("FRIEND_CUSTOM_PACKET", (error) =>
        this.#c.friendSendLosslessPacket(this.#tox, number, pointed(bytes), bytes.length, error),
      );
      return {};
    },
    sendLossy: ({ friend, hex }) => {
      const [number, bytes] = [this.#friendNumber(friend), bytesOf(hex)];
      checked("FRIEND_CUSTOM_PACKET", (error) =>
        this.#c.friendSendLossyPacket(this.#tox, number, pointed(bytes), bytes.length, error),
      );
      return {};
    },

    sendFile: (params) => this.#files.send(this.#friendNumber(params.friend), params),
    acceptFile: (params) => {
      this.#files.accept(this.#friendNumber(params.friend), params);
      return {};
    },
    fileControl: ({ friend, file, control }) => {
      this.#files.control(this.#friendNumber(friend), file, control);
      return {};
    },

    conferenceNew: ({ title }) => {
      const conference = checked("CONFERENCE_NEW", (error) => this.#c.conferenceNew(this.#tox, error));
      const bytes = Buffer.from(title);
      checked("CONFERENCE_TITLE", (e) => this.#c.conferenceSetTitle(this.#tox, conference, bytes, bytes.length, e));
      return {};
    },
    conferenceCount: () => ({ count: Number(this.#c.conferenceGetChatlistSize(this.#tox)) }),

    savedata: () => ({
      hex: hexOf(Number(this.#c.getSavedataSize(this.#tox)), (out) => this.#c.getSavedata(this.#tox, out)),
    }),
    close: () => {
      this.#close();
      return {};
    },

    ...avHandlers(
      () => this.#calls,
      (friend) => this.#friendNumber(friend),
    ),
  };

  get #calls(): PeerAv {
    if (this.#av === undefined) throw new CallError("HARNESS", "the peer was started without `av`");
    return this.#av;
  }

  get #c() {
    return this.#library.tox;
  }

  #schedule(): void {
    this.#timer = setTimeout(
      () => {
        this.#c.iterate(this.#tox, null);
        for (const retry of [...this.#afterIteration]) retry();
        this.#schedule();
      },
      this.#busy ? 1 : this.#c.iterationInterval(this.#tox),
    );
  }

  #address(): string {
    return hexOf(ADDRESS_SIZE, (out) => this.#c.selfGetAddress(this.#tox, out));
  }

  #dhtId(): string {
    return hexOf(PUBLIC_KEY_SIZE, (out) => this.#c.selfGetDhtId(this.#tox, out));
  }

  #udpPort(): number {
    return checked("GET_PORT", (error) => this.#c.selfGetUdpPort(this.#tox, error));
  }

  #friendNumber(publicKey: string): number {
    const key = bytesOf(publicKey, PUBLIC_KEY_SIZE);
    return checked("FRIEND_BY_PUBLIC_KEY", (error) => this.#c.friendByPublicKey(this.#tox, key, error));
  }

  #friendKey(number: number): string {
    return friendPublicKey(this.#c, this.#tox, number);
  }

  #sendMessage(friend: number, type: number, bytes: Uint8Array): number {
    return checked("FRIEND_SEND_MESSAGE", (error) =>
      this.#c.friendSendMessage(this.#tox, friend, type, pointed(bytes), bytes.length, error),
    );
  }

  #takesLossless(friend: number, bytes: Uint8Array): boolean {
    const error: [number] = [0];
    return this.#c.friendSendLosslessPacket(this.#tox, friend, pointed(bytes), bytes.length, error);
  }

  #sendUntilRefused(friend: number, prefix: string): Methods["sendUntilRefused"]["result"] {
    const messageIds: number[] = [];
    for (;;) {
      try {
        messageIds.push(this.#sendMessage(friend, 0, Buffer.from(`${prefix}${messageIds.length}`)));
      } catch (error) {
        if (error instanceof CallError) return { messageIds, refusal: error.code };
        throw error;
      }
    }
  }

  #sendMany(friend: string, prefix: string, count: number): Promise<Methods["sendMany"]["result"]> {
    const messageIds: number[] = [];
    let sendqFull = 0;
    const { promise, resolve, reject } = Promise.withResolvers<Methods["sendMany"]["result"]>();
    const attempt = () => {
      try {
        const number = this.#friendNumber(friend);
        while (messageIds.length < count) {
          messageIds.push(this.#sendMessage(number, 0, Buffer.from(`${prefix}${messageIds.length}`)));
        }
        this.#afterIteration.delete(attempt);
        resolve({ messageIds, sendqFull });
      } catch (error) {
        if (error instanceof CallError && error.code === "TOX_ERR_FRIEND_SEND_MESSAGE_SENDQ") {
          sendqFull += 1;
          return;
        }
        this.#afterIteration.delete(attempt);
        reject(withProgress(error, messageIds.length, count));
      }
    };
    this.#afterIteration.add(attempt);
    attempt();
    return promise;
  }
}

function withProgress(error: unknown, accepted: number, count: number): unknown {
  if (!(error instanceof CallError)) return error;
  return new CallError(error.code, `${error.message} after ${accepted} of ${count} messages`);
}
