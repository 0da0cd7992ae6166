import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { friendPublicKey, type Notify } from "./callbacks.ts";
import { checked } from "./errors.ts";
import { copyBytes, type LoadedLibrary, type Pointer } from "./library.ts";
import type { FileControlName, Methods } from "./protocol.ts";
import { FILE_CONTROLS } from "./protocol.ts";
import { bytesOf, hexOf, nameOf, pointed } from "./values.ts";

const FILE_ID_SIZE = 32;
const UNKNOWN_SIZE = 0xffff_ffff_ffff_ffffn;
/** Numbers of files that are received begin here. */
const FIRST_RECEIVED = 1 << 16;

interface Sent {
  /** The open file; missing: zeros are sent. */
  readonly fd: number | undefined;
  /** Where the file ends, whatever was said of its size. */
  readonly size: number;
  sent: number;
}

interface Received {
  /** The open file; missing: they are counted only. */
  readonly fd: number | undefined;
  count: number;
}

/** The files of one instance, as a client does it: chunks when they are asked for, and what comes into a file. */
export class PeerFiles {
  readonly #library: LoadedLibrary;
  readonly #tox: Pointer;
  readonly #notify: Notify;
  readonly #sent = new Map<string, Sent>();
  readonly #received = new Map<string, Received>();
  readonly #chunk = Buffer.alloc(1371);

  constructor(library: LoadedLibrary, tox: Pointer, notify: Notify) {
    this.#library = library;
    this.#tox = tox;
    this.#notify = notify;
    this.#listen();
  }

  send(friend: number, params: Methods["sendFile"]["params"]): Methods["sendFile"]["result"] {
    const { path, zeros = 0, unknownSize = false, kind, name } = params;
    const fd = path === undefined ? undefined : openSync(path, "r");
    const size = fd === undefined ? zeros : fstatSync(fd).size;
    const told = unknownSize ? UNKNOWN_SIZE : BigInt(size);
    const id = params.fileId === undefined ? null : bytesOf(params.fileId, FILE_ID_SIZE);
    const nameBytes = Buffer.from(name);
    const file = checked("FILE_SEND", (error) =>
      this.#c.fileSend(this.#tox, friend, kind, told, id, pointed(nameBytes), nameBytes.length, error),
    );
    this.#sent.set(key(friend, file), { fd, size, sent: 0 });
    return { file, fileId: this.#fileId(friend, file) };
  }

  accept(friend: number, { file, path, seek }: Methods["acceptFile"]["params"]): void {
    this.#received.set(key(friend, file), {
      fd: path === undefined ? undefined : openSync(path, "w"),
      count: seek ?? 0,
    });
    if (seek !== undefined)
      checked("FILE_SEEK", (error) => this.#c.fileSeek(this.#tox, friend, file, BigInt(seek), error));
    this.control(friend, file, "resume");
  }

  control(friend: number, file: number, control: FileControlName): void {
    const value = FILE_CONTROLS.indexOf(control);
    checked("FILE_CONTROL", (error) => this.#c.fileControl(this.#tox, friend, file, value, error));
  }

  get #c() {
    return this.#library.tox;
  }

  #fileId(friend: number, file: number): string {
    return hexOf(FILE_ID_SIZE, (out) =>
      checked("FILE_GET", (error) => this.#c.fileGetFileId(this.#tox, friend, file, out, error)),
    );
  }

  #listen(): void {
    const { tox: c, callback } = this.#library;
    const friendKey = (friend: number) => friendPublicKey(c, this.#tox, friend);
    c.onFileChunkRequest(
      this.#tox,
      callback("chunkRequest", (_tox, friend, file, position, length) => {
        this.#sendChunk(friend, file, Number(position), Number(length));
      }),
    );
    c.onFileRecv(
      this.#tox,
      callback("fileRecv", (_tox, friend, file, kind, size, name, length) => {
        const told = BigInt.asUintN(64, BigInt(size)); // koffi makes a negative number of the largest ones
        this.#notify("fileOffer", {
          friend: friendKey(friend),
          file,
          fileId: this.#fileId(friend, file),
          kind,
          size: told === UNKNOWN_SIZE ? null : Number(told),
          name: copyBytes(name, Number(length)).toString(),
        });
      }),
    );
    c.onFileRecvChunk(
      this.#tox,
      callback("fileRecvChunk", (_tox, friend, file, position, data, length) => {
        this.#take(friend, file, Number(position), data, Number(length));
      }),
    );
    c.onFileRecvControl(
      this.#tox,
      callback("fileControl", (_tox, friend, file, control) => {
        this.#notify("fileControl", { friend: friendKey(friend), file, control: nameOf(FILE_CONTROLS, control) });
      }),
    );
  }

  #sendChunk(friend: number, file: number, position: number, length: number): void {
    const sent = this.#sent.get(key(friend, file));
    if (sent === undefined) return;
    if (length === 0) {
      this.#sent.delete(key(friend, file));
      if (sent.fd !== undefined) closeSync(sent.fd);
      this.#done(friend, file, sent.sent);
      return;
    }
    const count = Math.min(length, Math.max(0, sent.size - position));
    if (sent.fd !== undefined) readSync(sent.fd, this.#chunk, 0, count, position);
    const error: [number] = [0];
    this.#c.fileSendChunk(this.#tox, friend, file, BigInt(position), pointed(this.#chunk), count, error);
    if (error[0] !== 0) throw new Error(`tox_file_send_chunk: ${error[0]} at ${position}`);
    sent.sent = position + count;
  }

  #take(friend: number, file: number, position: number, data: Pointer | null, length: number): void {
    const received = this.#received.get(key(friend, file));
    if (received === undefined) return;
    if (length === 0) {
      this.#received.delete(key(friend, file));
      if (received.fd !== undefined) closeSync(received.fd);
      this.#done(friend, file, received.count);
      return;
    }
    if (position !== received.count) throw new Error(`a chunk at ${position} instead of ${received.count}`);
    if (received.fd !== undefined) writeSync(received.fd, copyBytes(data, length));
    received.count += length;
  }

  #done(friend: number, file: number, bytes: number): void {
    const direction = file >= FIRST_RECEIVED ? "receive" : "send";
    this.#notify("fileDone", { friend: friendPublicKey(this.#c, this.#tox, friend), file, direction, bytes });
  }
}

function key(friend: number, file: number): string {
  return `${friend}/${file}`;
}
