import type { FileSink, FileSource } from "../env/file.ts";

export interface StreamSourceOptions {
  readonly name: string;
  /** Left out, it is not known, and the transfer ends with the stream. */
  readonly size?: number;
}

/**
 * A Node or Web stream of bytes to send, read as fast as the friend takes it. A transfer of it cannot be resumed: it fails with
 * `cannot-resume` when the session is lost.
 */
export function streamSource(
  stream: AsyncIterable<Uint8Array | string>,
  { name, size }: StreamSourceOptions,
): FileSource {
  const iterator = stream[Symbol.asyncIterator]();
  let left = new Uint8Array(0);
  let ended = false;
  return {
    name,
    size,
    canSeek: false,
    async read(_offset, length) {
      while (left.length === 0 && !ended) {
        const { value, done } = await iterator.next();
        ended = done === true;
        if (!ended) left = new Uint8Array(typeof value === "string" ? new TextEncoder().encode(value) : value);
      }
      const bytes = left.subarray(0, length);
      left = left.subarray(bytes.length);
      return bytes;
    },
    async close() {
      ended = true;
      await iterator.return?.();
    },
  };
}

/** A Web stream that takes a received file; its back-pressure slows the sender down. It cannot be resumed later. */
export function streamSink(stream: WritableStream<Uint8Array>): FileSink {
  const writer = stream.getWriter();
  return {
    async write(_offset, bytes) {
      await writer.ready;
      await writer.write(bytes);
    },
    close: () => writer.close(),
    abort: () => writer.abort(),
  };
}
