import type { Call, CallEnd } from "../../../src/index.ts";

type Listener = (event: never) => unknown;

class FakeTrack {
  readonly sent: { readonly data: Uint8Array; readonly timestamp: number }[] = [];
  readonly losses: number[] = [];
  keyFramesAsked = 0;
  maxBitRate: number;
  bitRate: number;
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(bitRate: number) {
    this.maxBitRate = bitRate;
    this.bitRate = bitRate;
  }

  on(name: string, listener: Listener): () => void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set.add(listener));
    return () => void set.delete(listener);
  }

  emit(name: string, event?: unknown): void {
    for (const listener of this.#listeners.get(name) ?? []) listener(event as never);
  }

  get listenerCount(): number {
    return [...this.#listeners.values()].reduce((sum, set) => sum + set.size, 0);
  }

  send(frame: { data: Uint8Array; timestamp: number }): boolean {
    this.sent.push(frame);
    return true;
  }

  requestKeyFrame(): void {
    this.keyFramesAsked++;
  }

  reportLoss(share: number): void {
    this.losses.push(share);
  }
}

/** A call as far as a gateway needs one; the test is the friend. */
export class FakeCall {
  readonly audio = new FakeTrack(48_000);
  readonly video = new FakeTrack(1_000_000);
  state = "active";
  readonly #end = Promise.withResolvers<CallEnd>();
  readonly ended = this.#end.promise;

  get asCall(): Call {
    return this as unknown as Call;
  }

  end(): void {
    this.state = "ended";
    this.#end.resolve({ reason: "hung-up", by: "them" });
  }

  hear(number: number, timestamp: number, data: Uint8Array): void {
    this.audio.emit("arrived", { data, number, timestamp, duration: 20, sampleRate: 48_000, channels: 1 });
  }

  see(timestamp: number, data: Uint8Array, damaged = false): void {
    this.video.emit("frame", { data, timestamp, damaged, keyFrame: (data[0] ?? 1) % 2 === 0 });
  }
}
