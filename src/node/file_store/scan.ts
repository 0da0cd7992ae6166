import type { FileHandle } from "node:fs/promises";
import { FRAME_HEAD_SIZE, type FrameCodec } from "./log_format.ts";

/** Looked through in one turn. */
const WINDOW_SIZE = 0x8000;

export interface Scanned {
  readonly bodies: Uint8Array[];
  /** Where what counts ends. Behind it lies nothing, or what an interrupted write has left. */
  readonly end: number;
  /** Bytes that cannot be read though a write has finished them. */
  readonly damaged: number;
}

/**
 * All frames from `start` on. A write that was cut off by the end of a process counts as a whole or not at all; where the disk
 * has spoilt something, the frames before and behind it are found all the same.
 */
export async function scanFrames(file: FileHandle, start: number, codec: FrameCodec): Promise<Scanned> {
  const scan = new Scan(file, codec, (await file.stat()).size);
  return await scan.run(start);
}

class Scan {
  readonly #file: FileHandle;
  readonly #codec: FrameCodec;
  readonly #size: number;
  readonly #bodies: Uint8Array[] = []; // bounded by the file
  /** How many of them belong to writes that were finished. */
  #finished = 0;
  #end = 0;
  #damaged = 0;
  /** Unreadable bytes since the last readable frame, and whether a whole frame is among them. */
  #gap = 0;
  #spoilt = false;
  #window: Uint8Array = new Uint8Array(0);
  #windowAt = 0;

  constructor(file: FileHandle, codec: FrameCodec, size: number) {
    this.#file = file;
    this.#codec = codec;
    this.#size = size;
  }

  async run(start: number): Promise<Scanned> {
    this.#end = start;
    for (let at = start; at + FRAME_HEAD_SIZE <= this.#size; ) {
      await this.#load(at, FRAME_HEAD_SIZE);
      const length = this.#codec.lengthAt(this.#window, at - this.#windowAt);
      const next = length === undefined ? undefined : await this.#take(at, length);
      if (next !== undefined) {
        at = next;
        continue;
      }
      const found = await this.#findMarker(at + 1);
      this.#gap += found - at;
      at = found;
    }
    // What is torn at the end was never answered for. What is whole there, and spoilt, once was.
    if (this.#spoilt) {
      this.#damaged += this.#gap;
      return { bodies: this.#bodies, end: this.#end, damaged: this.#damaged };
    }
    this.#bodies.length = this.#finished;
    return { bodies: this.#bodies, end: this.#end, damaged: this.#damaged };
  }

  /** Answers where the frame at `at` ends, or undefined where there is none that can be read. */
  async #take(at: number, length: number): Promise<number | undefined> {
    if (at + length > this.#size) return undefined;
    await this.#load(at, length);
    const from = at - this.#windowAt;
    const frame = this.#codec.decode(this.#window.subarray(from, from + length));
    if (frame === undefined) {
      this.#spoilt = true;
      return undefined;
    }
    this.#damaged += this.#gap;
    this.#gap = 0;
    this.#bodies.push(frame.body);
    if (!frame.last) return at + length;
    this.#spoilt = false;
    this.#finished = this.#bodies.length;
    this.#end = at + length;
    return at + length;
  }

  async #findMarker(from: number): Promise<number> {
    for (let at = from; at + FRAME_HEAD_SIZE <= this.#size; ) {
      await this.#load(at, FRAME_HEAD_SIZE);
      const window = this.#window;
      const found = Buffer.from(window.buffer, window.byteOffset, window.length).indexOf(
        this.#codec.marker,
        at - this.#windowAt,
      );
      if (found >= 0) return this.#windowAt + found;
      at = this.#windowAt + window.length - 3; // a marker may lie across the edge
    }
    return this.#size;
  }

  async #load(at: number, length: number): Promise<void> {
    if (at >= this.#windowAt && at + length <= this.#windowAt + this.#window.length) return;
    const wanted = Math.min(Math.max(length, WINDOW_SIZE), this.#size - at);
    const window = new Uint8Array(wanted);
    let filled = 0;
    while (filled < wanted) {
      const { bytesRead } = await this.#file.read(window, filled, wanted - filled, at + filled);
      if (bytesRead === 0) throw new Error("the file became shorter while it was read");
      filled += bytesRead;
    }
    this.#window = window;
    this.#windowAt = at;
  }
}
