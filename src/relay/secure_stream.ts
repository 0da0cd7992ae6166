import type { Crypto } from "../crypto/crypto.ts";
import { MAC_SIZE, type Nonce, type SharedKey } from "../crypto/keys.ts";
import { incrementNonce } from "../crypto/nonce.ts";
import type { StreamEnd, StreamSocket } from "../env/stream.ts";
import { readU16, writeU16 } from "../util/bytes.ts";
import { FRAME_HEADER_SIZE, MAX_FRAME_BOX_SIZE } from "../wire/tcp/packets.ts";

/** Why a stream is of no more use: how it ended, or what came in it. */
export type StreamFault = StreamEnd | "malformed" | "forged";

export interface SecureStreamHandler {
  /** The other side's handshake, once; `start` follows, now or never. A view. */
  onHandshake(bytes: Uint8Array): void;
  /** A packet, never empty, in the scratch buffer: valid until the handler returns, and writable. */
  onPacket(packet: Uint8Array): void;
  onWritable(): void;
  /** Once, and not after `close`. The stream is closed. */
  onFault(fault: StreamFault): void;
}

/** What both handshakes agree on. The nonces are counted up in place; the whole is wiped on `close`. */
export interface StreamKeys {
  readonly sharedKey: SharedKey;
  /** From our own handshake. */
  readonly sendNonce: Nonce;
  /** From the other side's. */
  readonly receiveNonce: Nonce;
}

/**
 * One handshake, then encrypted frames, over a TCP stream; the same for client and relay. A stream at rest between two
 * frames holds no buffer, and one in the midst of a frame holds that frame, 2050 bytes at most.
 */
export class SecureStream {
  readonly #stream: StreamSocket;
  readonly #crypto: Crypto;
  readonly #scratch: Uint8Array;
  readonly #handler: SecureStreamHandler;
  readonly #handshakeSize: number;
  #keys: StreamKeys | undefined;
  /** The beginning of a frame whose rest has not come yet. */
  #partial: Uint8Array | undefined;
  #held = 0;
  #closed = false;
  /** Frames taken so far. */
  received = 0;

  /** `scratch`: MAX_FRAME_BOX_SIZE bytes that packets are opened into; streams of one owner may share it. */
  constructor(
    stream: StreamSocket,
    crypto: Crypto,
    scratch: Uint8Array,
    handshakeSize: number,
    handler: SecureStreamHandler,
  ) {
    this.#stream = stream;
    this.#crypto = crypto;
    this.#scratch = scratch;
    this.#handshakeSize = handshakeSize;
    this.#handler = handler;
    stream.onData = (bytes) => this.#onData(bytes);
    stream.onWritable = () => this.#handler.onWritable();
    stream.onEnd = (reason) => this.#fail(reason);
  }

  /** Bytes that wait to be sent. */
  get queued(): number {
    return this.#stream.queued;
  }

  /** Frames from here on. */
  start(keys: StreamKeys): void {
    this.#keys = keys;
  }

  /** Sends bytes as they are: our handshake. They belong to the stream. */
  sendRaw(bytes: Uint8Array): boolean {
    return !this.#closed && this.#stream.write(bytes);
  }

  /** Sends a packet, which is not kept. False: more would wait than may, or there are no keys; nothing was sent. */
  send(packet: Uint8Array): boolean {
    const keys = this.#keys;
    if (keys === undefined || this.#closed) return false;
    const frame = new Uint8Array(FRAME_HEADER_SIZE + packet.length + MAC_SIZE);
    writeU16(frame, 0, packet.length + MAC_SIZE);
    this.#crypto.sealInto(frame, FRAME_HEADER_SIZE, packet, keys.sendNonce, keys.sharedKey);
    // What was not taken has not been seen by anybody, so its nonce is still unused.
    if (!this.#stream.write(frame)) return false;
    incrementNonce(keys.sendNonce);
    return true;
  }

  pause(): void {
    if (!this.#closed) this.#stream.pause();
  }

  resume(): void {
    if (!this.#closed) this.#stream.resume();
  }

  /** Ends the stream and wipes its keys; no handler is called afterwards. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#partial = undefined;
    this.#stream.close();
    if (this.#keys === undefined) return;
    this.#crypto.wipe(this.#keys.sharedKey);
    this.#keys = undefined;
  }

  #fail(fault: StreamFault): undefined {
    if (this.#closed) return;
    this.close();
    this.#handler.onFault(fault);
  }

  #onData(bytes: Uint8Array): undefined {
    let at = 0;
    while (!this.#closed && at < bytes.length) {
      at = this.#partial === undefined ? this.#takeWhole(bytes, at) : this.#fillPartial(this.#partial, bytes, at);
    }
  }

  /** Takes what is whole straight from what arrived, and keeps the beginning of what is not. Answers where it stopped. */
  #takeWhole(bytes: Uint8Array, at: number): number {
    const size = this.#sizeAt(bytes, at, bytes.length);
    if (size === undefined) return bytes.length;
    const end = at + size;
    if (size > FRAME_HEADER_SIZE && end <= bytes.length) {
      this.#take(bytes.subarray(at, end));
      return end;
    }
    this.#partial = new Uint8Array(size);
    this.#held = 0;
    return this.#fillPartial(this.#partial, bytes, at);
  }

  #fillPartial(partial: Uint8Array, bytes: Uint8Array, at: number): number {
    const end = Math.min(bytes.length, at + partial.length - this.#held);
    partial.set(bytes.subarray(at, end), this.#held);
    this.#held += end - at;
    if (this.#held < partial.length) return end;
    const size = this.#sizeAt(partial, 0, this.#held);
    if (size === undefined) return bytes.length;
    if (size > partial.length) {
      // Only the length was there so far.
      this.#partial = new Uint8Array(size);
      this.#partial.set(partial);
      return end;
    }
    this.#partial = undefined;
    this.#take(partial);
    return end;
  }

  /** How long the handshake or frame at `at` is, its header's size when that is cut short, nothing when it is refused. */
  #sizeAt(bytes: Uint8Array, at: number, end: number): number | undefined {
    if (this.#keys === undefined) return this.#handshakeSize;
    if (end - at < FRAME_HEADER_SIZE) return FRAME_HEADER_SIZE;
    const boxSize = readU16(bytes, at);
    if (boxSize > MAC_SIZE && boxSize <= MAX_FRAME_BOX_SIZE) return FRAME_HEADER_SIZE + boxSize;
    this.#fail("malformed");
    return undefined;
  }

  #take(bytes: Uint8Array): undefined {
    const keys = this.#keys;
    if (keys === undefined) {
      this.#handler.onHandshake(bytes);
      if (this.#keys === undefined) this.#fail("malformed");
      return;
    }
    const box = bytes.subarray(FRAME_HEADER_SIZE);
    const packet = this.#crypto.open(box, keys.receiveNonce, keys.sharedKey, this.#scratch);
    if (packet === undefined) return this.#fail("forged");
    incrementNonce(keys.receiveNonce);
    this.received++;
    this.#handler.onPacket(packet);
  }
}
