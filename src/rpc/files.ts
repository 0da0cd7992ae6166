import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { type FileKind, type FileTransfer, type Friend, type Tox, ToxError, type ToxEvents } from "../index.ts";
import { fileSink, openFileSource } from "../node/index.ts";
import type { Params } from "./json_rpc.ts";
import { hexOf, integerParam, stringParam } from "./params.ts";

type FileOffer = ToxEvents["fileOffer"];
type Notify = (method: string, params: object) => Promise<void>;

/** Offers that wait for an answer; more are rejected. */
const MAX_PENDING_OFFERS = 1024;
/** An avatar has 64 KiB at most. */
const MAX_READ = 0x1_0001;
const KINDS: readonly FileKind[] = ["data", "avatar", "sticker", "sha1", "sha256"];

/** The files of one instance, named as clients name them, and what is told of them. */
export class RpcFiles {
  readonly #tox: Tox;
  readonly #notify: Notify;
  readonly #offers = new Map<string, FileOffer>(); // MAX_PENDING_OFFERS

  constructor(tox: Tox, notify: Notify) {
    this.#tox = tox;
    this.#notify = notify;
    tox.on("fileOffer", (offer) => this.#offered(offer));
    tox.on("fileResumed", ({ transfer }) => this.#watch(transfer));
  }

  async send(friend: Friend, params: Params): Promise<{ fileId: string }> {
    const source = await openFileSource(stringParam(params, "path"));
    const kind = params.kind === undefined ? undefined : kindParam(params);
    const transfer = friend.sendFile(source, kind === undefined ? {} : { kind });
    this.#watch(transfer);
    return { fileId: transfer.id };
  }

  accept(friend: Friend, params: Params): void {
    const path = stringParam(params, "path");
    const offset = params.offset === undefined ? undefined : integerParam(params, "offset");
    const offer = this.#offerOf(friend, params);
    const place = path.endsWith("/") ? join(path, basename(offer.name)) : path;
    // Said now, the offer stays; the sink would say it when all of a small file is on its way.
    if (existsSync(place)) throw new ToxError("invalid-argument", `${place} is there already: name another path.`);
    const transfer = offer.accept(fileSink(place), offset === undefined ? {} : { offset });
    this.#offers.delete(keyOf(friend, offer.id));
    this.#watch(transfer);
  }

  reject(friend: Friend, params: Params): void {
    this.#offerOf(friend, params).reject();
  }

  /** The transfer that is meant, or the one that an offer would be. */
  transferOf(friend: Friend, params: Params): FileTransfer {
    const id = stringParam(params, "fileId");
    const offered = this.#offers.get(keyOf(friend, id))?.transfer;
    const found = offered ?? this.#tox.fileTransfers.find((one) => one.friend === friend && one.id === id);
    if (found === undefined) throw unknown(id);
    return found;
  }

  /** Without a path: none any more. */
  async setAvatar(path: string | undefined): Promise<void> {
    await this.#tox.setAvatar(path === undefined ? undefined : await imageAt(path));
  }

  /** The friend's, or our own; both null where there is none. */
  async avatar(friend: Friend | undefined): Promise<{ hash: string | null; hex: string | null }> {
    const avatar = friend === undefined ? this.#tox.avatar : await this.#tox.avatarOf(friend);
    return { hash: avatar?.hash ?? null, hex: avatar === undefined ? null : hexOf(avatar.bytes) };
  }

  #offerOf(friend: Friend, params: Params): FileOffer {
    const id = stringParam(params, "fileId");
    const offer = this.#offers.get(keyOf(friend, id));
    if (offer === undefined) throw unknown(id);
    return offer;
  }

  #offered(offer: FileOffer): void {
    if (this.#offers.size >= MAX_PENDING_OFFERS) {
      offer.reject();
      return;
    }
    const key = keyOf(offer.friend, offer.id);
    const { friend, id, name, size, kind } = offer;
    this.#offers.set(key, offer);
    const params = { friend: friend.publicKey, fileId: id, name, size: size ?? null, kind };
    void this.#notify("fileOffer", params);
    void offer.transfer.done.then((outcome) => {
      if (this.#offers.get(key) !== offer) return; // it was accepted
      this.#offers.delete(key);
      if (outcome.state === "cancelled" && outcome.by === "them") this.#cancelled(offer.transfer, "them");
    });
  }

  #watch(transfer: FileTransfer): void {
    const names = { friend: transfer.friend.publicKey, fileId: transfer.id };
    transfer.on("progress", ({ bytes }) => this.#notify("fileProgress", { ...names, bytes }));
    void transfer.done.then((outcome) => {
      const { direction, bytes, seconds } = transfer;
      if (outcome.state === "done") return this.#notify("fileDone", { ...names, direction, bytes, seconds });
      if (outcome.state === "failed") return this.#cancelled(transfer, "us", outcome.reason);
      if (outcome.state === "cancelled") return this.#cancelled(transfer, outcome.by);
      return undefined;
    });
  }

  async #cancelled(transfer: FileTransfer, by: "us" | "them", reason?: string): Promise<void> {
    const names = { friend: transfer.friend.publicKey, fileId: transfer.id };
    await this.#notify("fileCancelled", { ...names, by, ...(reason !== undefined && { reason }) });
  }
}

function keyOf(friend: Friend, id: string): string {
  return `${friend.publicKey}/${id}`;
}

function unknown(id: string): ToxError {
  return new ToxError("unknown-file", `There is no file ${id} with this friend, or it is over.`);
}

/** No more of it than shows that it is too long. */
async function imageAt(path: string): Promise<Uint8Array> {
  const source = await openFileSource(path);
  try {
    return await source.read(0, Math.min(source.size ?? MAX_READ, MAX_READ));
  } finally {
    await source.close?.();
  }
}

/** By name, or a number of 32 bits. */
function kindParam(params: Params): FileKind {
  const known = KINDS.find((kind) => kind === params.kind);
  return known ?? integerParam(params, "kind");
}
