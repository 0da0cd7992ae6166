/** Where a file that is sent comes from. Reads go forward, but for a resume, which begins anew where the receiver wants it. */
export interface FileSource {
  /** What the receiver is told; of a path only the last part goes out. */
  readonly name: string;
  /** Bytes; undefined when it is not known before the end. */
  readonly size: number | undefined;
  /**
   * Up to `length` bytes from `offset` on, at least one; none at the end. The bytes are the reader's until they are sent.
   * A rejection fails the transfer.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** False: only ever read from the front, so that a transfer cannot be resumed. True when left out. */
  readonly canSeek?: boolean;
  /** By which `FilePort.source` finds it again after a restart. Left out, the transfer ends with the instance. */
  readonly location?: string;
  /** Another one after a restart says that the content is another. */
  readonly version?: string;
  /** Nothing is read any more. */
  close?(): Promise<void>;
}

/** Where a received file goes. */
export interface FileSink {
  /** Bytes that are there already, of an earlier try. */
  readonly size?: number;
  /**
   * Keeps the bytes, which belong to the sink from now on. Each call begins where the one before ended, and comes when that
   * is done; the first one, where the receipt begins: what is there behind it is void. A rejection fails the transfer.
   */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Reads what was written, to compare it with the sender's hash after a restart. Left out, it is not compared then. */
  read?(offset: number, length: number): Promise<Uint8Array>;
  /** The file is whole. A rejection fails the transfer. */
  close(): Promise<void>;
  /** It will never be whole: forgets what is there. */
  abort(): Promise<void>;
  /** It may be gone on with later: keeps what is there. `abort` when left out. */
  suspend?(): Promise<void>;
  /** By which `FilePort.sink` finds it again after a restart. */
  readonly location?: string;
  /** Another one after a restart says that what is there is not what was written; undefined: not known. */
  readonly version?: string | undefined;
}

/** Finds sources and sinks again after a restart, by their `location`. Rejects for what is not there any more. */
export interface FilePort {
  source(location: string): Promise<FileSource>;
  sink(location: string): Promise<FileSink>;
}
