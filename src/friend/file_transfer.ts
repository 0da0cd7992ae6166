/** The public shape of a transfer. Here, and not in `files/`, since `Friend.sendFile` answers one. */
import type { FileSource } from "../env/file.ts";
import type { Unsubscribe } from "../util/emitter.ts";

/** What a file is for; a number is a kind that newer clients may have. */
export type FileKind = "data" | "avatar" | "sticker" | "sha1" | "sha256" | number;

/**
 * `offered`: nobody has accepted it yet, or the friend is away. `interrupted`: the session is gone; it goes on when he is
 * back. The others are over.
 */
export type FileState = "offered" | "active" | "paused" | "interrupted" | "done" | "cancelled" | "failed" | "closed";

/**
 * `disk-full`, `file-exists`, `permission-denied`, `read-failed`, `write-failed`: at our side. `incomplete`: the sender ended it before all
 * was there. `source-changed`: the source gave less than its size. `cannot-resume`: the session went, and the source only
 * reads forward. `bad-seek`: the receiver asks for what is beyond the end. `overrun`: the sender goes on and on though he was
 * told to pause. `hash-mismatch`: what came is not what the sender has.
 */
export type FileFailure =
  | "disk-full"
  | "file-exists"
  | "permission-denied"
  | "read-failed"
  | "write-failed"
  | "incomplete"
  | "source-changed"
  | "cannot-resume"
  | "bad-seek"
  | "overrun"
  | "hash-mismatch";

export type FileOutcome =
  | { readonly state: "done" }
  | { readonly state: "cancelled"; readonly by: "us" | "them" }
  | { readonly state: "failed"; readonly reason: FileFailure; readonly message: string }
  /** This instance was closed first. With a store and a `location` it goes on after a restart. */
  | { readonly state: "closed" };

export interface FileTransferEvents {
  /** Several times a second at most. `bytes`: how far it has come, from the front of the file. */
  progress: { readonly bytes: number; readonly size: number | undefined };
  state: { readonly state: FileState };
}

/** A file on its way, with a `Friend`. There is one handle for each transfer, which outlives sessions. */
export interface FileTransferWith<Friend> {
  /** Unique among all transfers with this friend, in both directions. */
  readonly id: string;
  readonly friend: Friend;
  readonly direction: "send" | "receive";
  /** 64 upper-case hex digits, the same at both ends. */
  readonly fileId: string;
  readonly kind: FileKind;
  /** Safe as a file's name on any disk. */
  readonly name: string;
  /** In bytes; undefined: not known before the end. */
  readonly size: number | undefined;
  /** How far it has come, from the front of the file: handed to the session, or written. */
  readonly bytes: number;
  readonly state: FileState;
  /** Who has paused it. */
  readonly pausedBy: "us" | "them" | "both" | undefined;
  /** Bytes a second, lately. */
  readonly rate: number;
  readonly secondsLeft: number | undefined;
  /** Since it was accepted, or until it ended. */
  readonly seconds: number;
  /** How it ends. Never rejects. */
  readonly done: Promise<FileOutcome>;
  on<Name extends keyof FileTransferEvents>(
    name: Name,
    listener: (event: FileTransferEvents[Name]) => unknown,
  ): Unsubscribe;
  /** These do nothing once it is over. */
  pause(): void;
  resume(): void;
  cancel(): void;
}

export interface SendFileOptions {
  /** `data` when left out. */
  readonly kind?: FileKind;
  /** 32 bytes or 64 hex digits, by which a transfer is resumed; random when left out. */
  readonly fileId?: string | Uint8Array;
  /** Cancels the transfer. */
  readonly signal?: AbortSignal;
}

/** Who sends files for `Friend.sendFile`. `Files` has this shape. */
export interface FileSenderTo<Friend> {
  send(friend: Friend, source: FileSource, options: SendFileOptions): FileTransferWith<Friend>;
}
