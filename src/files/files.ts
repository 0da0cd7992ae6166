import type { Crypto } from "../crypto/crypto.ts";
import type { Clock } from "../env/clock.ts";
import type { FilePort, FileSink, FileSource } from "../env/file.ts";
import type { Logger } from "../env/logger.ts";
import type { Metrics } from "../env/metrics.ts";
import type { Store } from "../env/store.ts";
import type { SendFileOptions } from "../friend/file_transfer.ts";
import type { FileSender, FileTransfer, Friend } from "../friend/friend.ts";
import type { Friends } from "../friend/friends.ts";
import type { FriendFloor, FriendPipe } from "../friend/plugged_floors.ts";
import { dropCounter } from "../network/drop_counter.ts";
import { fromHex, toHex } from "../util/bytes.ts";
import { Emitter } from "../util/emitter.ts";
import { randomBytes } from "../util/random_numbers.ts";
import { utf8 } from "../util/text.ts";
import { ToxError } from "../util/tox_error.ts";
import { Capability, ExtensionSubtype } from "../wire/friend/extension.ts";
import { FILE_ID_SIZE, MAX_FILE_NAME_SIZE } from "../wire/friend/file_request.ts";
import { FriendPacketId } from "../wire/friend/packet_ids.ts";
import { Avatars, type FriendAvatar } from "./avatars.ts";
import { messageOf } from "./failures.ts";
import { type FilesContext, FriendFiles } from "./friend_files.ts";
import type { IncomingTransfer } from "./incoming.ts";
import { AVATAR_KIND, kindNumber } from "./kinds.ts";
import { FileOffer } from "./offer.ts";
import type { FileRecords, ReceiveRecord, SendRecord } from "./records.ts";
import { SharedSources } from "./shared_reads.ts";
import { UnfinishedFiles } from "./unfinished.ts";

export interface FileEvents {
  /** Somebody wants to send a file. Where nobody listens, it is rejected. */
  fileOffer: FileOffer;
  /** A transfer of an earlier run goes on by itself: its source or sink was found again. */
  fileResumed: { readonly friend: Friend; readonly transfer: FileTransfer };
  /** He shows another avatar, or none any more. */
  friendAvatar: { readonly friend: Friend; readonly avatar: FriendAvatar | undefined };
}

export interface FilesOptions {
  readonly friends: Friends;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Keeps half-done transfers and avatars. */
  readonly store?: Store | undefined;
  /** Finds files again after a restart. */
  readonly port?: FilePort | undefined;
}

/** Files with all friends. */
export class Files implements FileSender, FriendFloor {
  readonly events: Emitter<FileEvents>;
  readonly capabilities = Capability.FileHash;
  readonly #options: FilesOptions;
  readonly #context: FilesContext;
  readonly #byFriend = new Map<Friend, FriendFiles>(); // bounded by the friend list
  readonly #unfinished: UnfinishedFiles;
  readonly #avatars: Avatars;
  #closed = false;

  /** Reads what earlier runs left half-done. Rejects where the store cannot be read. */
  static async create(options: FilesOptions): Promise<Files> {
    const files = new Files(options);
    await files.#unfinished.load();
    await files.#avatars.load();
    return files;
  }

  private constructor(options: FilesOptions) {
    const { friends, clock, logger, metrics, store, crypto } = options;
    this.#options = options;
    this.events = new Emitter(logger);
    this.#unfinished = new UnfinishedFiles(store, clock, logger, () => this.#living());
    this.#avatars = new Avatars({
      ...{ clock, crypto, logger, store },
      send: (friend, source, fileId) => this.#sendAvatar(friend, source, fileId),
      changed: (friend, avatar) => this.events.emit("friendAvatar", { friend, avatar }),
    });
    this.#context = {
      ...{ clock, logger, crypto: crypto.provider, drop: dropCounter(metrics, "file"), sources: new SharedSources() },
      offered: (transfer) => this.#offered(transfer),
      avatarOffered: (friend, request, decide) => this.#avatars.offered(friend, request, decide),
      changed: () => this.#unfinished.changed(),
    };
    friends.plugIn(this);
    friends.fileSender = this;
    friends.onPacket(FriendPacketId.FileSendRequest, FriendPacketId.FileSendRequest, (friend, packet) =>
      this.#of(friend).handleRequest(packet),
    );
    friends.onPacket(FriendPacketId.FileControl, FriendPacketId.FileControl, (friend, packet) =>
      this.#of(friend).handleControl(packet),
    );
    friends.onPacket(FriendPacketId.FileData, FriendPacketId.FileData, (friend, packet) =>
      this.#of(friend).handleData(packet),
    );
  }

  get avatars(): Avatars {
    return this.#avatars;
  }

  /** Those that are not over, but for avatars and offers that nobody has accepted. */
  get transfers(): FileTransfer[] {
    return [...this.#byFriend.values()].flatMap((files) => [
      ...[...files.outgoing].filter(({ kindNumber }) => kindNumber !== AVATAR_KIND),
      ...[...files.incoming].filter(({ accepted }) => accepted),
    ]);
  }

  /** See `Friend.sendFile`. */
  send(friend: Friend, source: FileSource, options: SendFileOptions): FileTransfer {
    const { signal } = options;
    if (this.#closed) throw new ToxError("closed", "Create a new instance: this one is closed.");
    if (signal?.aborted)
      throw new ToxError("aborted", "The file was given up by its signal.", { cause: signal.reason });
    const kind = kindNumber(options.kind ?? "data");
    if (kind === undefined)
      throw new ToxError("invalid-argument", "Give a kind of file by name, or a number of 32 bits.");
    const { size } = source;
    if (size !== undefined && (!Number.isSafeInteger(size) || size < 0)) {
      throw new ToxError("invalid-argument", "Give the size as a whole number, or undefined when it is not known.");
    }
    const fileId = this.#fileIdOf(options.fileId);
    const transfer = this.#of(friend).send(source, { friend, fileId, kind, size, name: nameOf(source) });
    if (signal !== undefined) {
      const cancel = () => transfer.cancel();
      signal.addEventListener("abort", cancel, { once: true });
      void transfer.done.then(() => signal.removeEventListener("abort", cancel));
    }
    return transfer;
  }

  up(friend: Friend, pipe: FriendPipe): void {
    const files = this.#of(friend);
    files.up(pipe);
    this.#avatars.up(friend);
    for (const record of this.#unfinished.takeSends(friend.publicKey)) void this.#sendAgain(friend, files, record);
  }

  down(friend: Friend): void {
    this.#avatars.down(friend);
    this.#byFriend.get(friend)?.down();
  }

  writable(friend: Friend): void {
    this.#byFriend.get(friend)?.writable();
  }

  extension(friend: Friend, packet: Uint8Array): boolean {
    if (packet[1] !== ExtensionSubtype.FileHash) return false;
    this.#of(friend).handleHash(packet);
    return true;
  }

  removed(friend: Friend): void {
    this.#byFriend.get(friend)?.endAll({ state: "cancelled", by: "us" });
    this.#byFriend.delete(friend);
    this.#avatars.removed(friend);
    for (const record of this.#unfinished.forget(friend.publicKey)) void this.#discard(record);
  }

  /** Ends every transfer here; with a store they go on after a restart. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#unfinished.changed();
    const written = this.#unfinished.flush(); // while the transfers are alive
    for (const files of this.#byFriend.values()) files.endAll({ state: "closed" });
    this.#byFriend.clear();
    this.events.removeAll();
    await written;
  }

  #of(friend: Friend): FriendFiles {
    let files = this.#byFriend.get(friend);
    if (files === undefined) {
      files = new FriendFiles(this.#context, friend);
      this.#byFriend.set(friend, files);
    }
    return files;
  }

  #offered(transfer: IncomingTransfer): void {
    const { friend, fileId, kindNumber: kind, size } = transfer;
    const record = this.#unfinished.findReceive(friend.publicKey, fileId, kind, size);
    if (record?.location !== undefined && this.#options.port !== undefined) {
      void this.#receiveAgain(transfer, record);
    } else {
      this.#ask(transfer, record);
    }
  }

  #ask(transfer: IncomingTransfer, record: ReceiveRecord | undefined): void {
    if (transfer.isOver) return;
    if (this.events.listenerCount("fileOffer") === 0) {
      transfer.cancel();
      return;
    }
    if (record !== undefined) this.#unfinished.take(record);
    this.events.emit("fileOffer", new FileOffer(transfer, record?.bytes ?? 0));
  }

  async #receiveAgain(transfer: IncomingTransfer, record: ReceiveRecord): Promise<void> {
    try {
      const sink = await this.#reopen(record);
      if (transfer.state === "closed") return await sink.suspend?.(); // the record waits on
      this.#unfinished.take(record);
      if (transfer.isOver) return await sink.abort();
      new FileOffer(transfer, record.bytes).accept(sink);
    } catch (error) {
      this.#options.logger.info("a half-received file is not there any more", { reason: messageOf(error) });
      this.#unfinished.take(record);
      this.#ask(transfer, undefined);
      return;
    }
    this.events.emit("fileResumed", { friend: transfer.friend, transfer });
  }

  /** Rejects where what is there is not what was written. It is nobody's to accept meanwhile: the app has not heard of it. */
  async #reopen({ location, version }: ReceiveRecord): Promise<FileSink> {
    const { port } = this.#options;
    if (port === undefined || location === undefined) throw new Error("nobody knows where it is");
    const sink = await port.sink(location);
    if (sink.version === version) return sink;
    await sink.suspend?.();
    throw new Error(`${location} has been replaced`);
  }

  /** Nobody will send the rest of it. */
  async #discard(record: ReceiveRecord): Promise<void> {
    if (record.location === undefined || this.#options.port === undefined) return;
    try {
      await (await this.#reopen(record)).abort();
    } catch (error) {
      this.#options.logger.info("a half-received file could not be given up", { reason: messageOf(error) });
    }
  }

  async #sendAgain(friend: Friend, files: FriendFiles, record: SendRecord): Promise<void> {
    try {
      const source = await this.#options.port?.source(record.location);
      const isSame = source !== undefined && source.size === record.size && source.version === record.version;
      const fileId = fromHex(record.fileId);
      if (!isSame || fileId === undefined) throw new ToxError("invalid-argument", "The file has changed.");
      if (this.#closed || this.#byFriend.get(friend) !== files || files.hasOutgoing(record.fileId)) return;
      const { kind, size } = record;
      const transfer = files.send(source, { friend, fileId, kind, size, name: nameOf(source) });
      this.events.emit("fileResumed", { friend, transfer });
    } catch (error) {
      this.#options.logger.info("a half-sent file cannot be sent on", { reason: messageOf(error) });
    }
  }

  #sendAvatar(friend: Friend, source: FileSource, fileId: Uint8Array): void {
    const files = this.#of(friend);
    if (files.hasOutgoing(toHex(fileId))) return;
    for (const transfer of [...files.outgoing]) if (transfer.kindNumber === AVATAR_KIND) transfer.cancel();
    try {
      files.send(source, { friend, fileId, kind: AVATAR_KIND, size: source.size, name: source.name });
    } catch (error) {
      // Too much else is on its way: he hears of it when he comes the next time.
      this.#options.logger.debug("an avatar is not offered", { reason: messageOf(error) });
    }
  }

  #fileIdOf(given: string | Uint8Array | undefined): Uint8Array {
    if (given === undefined) return randomBytes(this.#options.crypto.random, FILE_ID_SIZE);
    const fileId = typeof given === "string" ? fromHex(given) : given;
    if (fileId?.length !== FILE_ID_SIZE) {
      throw new ToxError(
        "invalid-argument",
        `Give a file id of ${FILE_ID_SIZE} bytes or ${2 * FILE_ID_SIZE} hex digits.`,
      );
    }
    return fileId;
  }

  #living(): FileRecords {
    const sends: SendRecord[] = [];
    const receives: ReceiveRecord[] = [];
    for (const [friend, files] of this.#byFriend) {
      for (const { fileId, kindNumber: kind, size, source, isOver } of files.outgoing) {
        const { location, version } = source;
        if (location === undefined || isOver) continue;
        sends.push({ friend: friend.publicKey, fileId, kind, size, location, version });
      }
      for (const { fileId, kindNumber: kind, size, sink, bytes, isOver } of files.incoming) {
        if (sink === undefined || isOver) continue;
        const { location, version } = sink;
        receives.push({ friend: friend.publicKey, fileId, kind, size, location, version, bytes });
      }
    }
    return { sends, receives };
  }
}

/** What the receiver is told. Throws `name-too-long`. */
function nameOf({ name }: FileSource): string {
  const last = /[^/\\]*$/.exec(name)?.[0] ?? "";
  const { length } = utf8(last);
  if (length > MAX_FILE_NAME_SIZE) {
    throw new ToxError("name-too-long", `Shorten the file's name to ${MAX_FILE_NAME_SIZE} bytes; it has ${length}.`);
  }
  return last;
}
