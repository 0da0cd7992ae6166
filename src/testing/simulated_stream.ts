import type { Cancel } from "../env/clock.ts";
import type { Endpoint } from "../env/datagram.ts";
import type { StreamEnd, StreamSocket } from "../env/stream.ts";
import { makeSegment, NO_NUMBER, type Segment, type SegmentKind, type StreamSettings } from "./segment.ts";
import { POISON } from "./simulated_socket.ts";
import { StreamReceiver } from "./stream_receiver.ts";
import { StreamSender } from "./stream_sender.ts";
import type { Timeline } from "./timeline.ts";

/** What a stream asks of its host. */
export interface StreamHost {
  readonly timeline: Timeline;
  readonly settings: StreamSettings;
  /** Puts a segment on its way. When the host's own line is full: the time to try again. */
  emit(stream: SimulatedStream, segment: Segment): number | undefined;
  /** The two sides have met. */
  opened(stream: SimulatedStream): void;
  /** The stream is gone, and nothing of it will be sent or taken any more. */
  gone(stream: SimulatedStream, reason: "finished" | "reset" | "unanswered"): void;
}

/** How long a closed stream may go on to send what waits, in ms, as on Node. */
const LINGER = 5000;

/** One end of a TCP connection between simulated hosts, strict about who owns which bytes. */
export class SimulatedStream implements StreamSocket {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Whether this end connected; the other listened. */
  readonly client: boolean;
  onData: ((bytes: Uint8Array) => void) | undefined;
  onWritable: (() => void) | undefined;
  onEnd: ((reason: StreamEnd) => void) | undefined;
  readonly #host: StreamHost;
  readonly #queueLimit: number;
  readonly #sender: StreamSender;
  readonly #receiver: StreamReceiver;
  #opened = false;
  #over = false; // for the owner, who hears nothing any more
  #gone = false;
  #refused = false;
  #sentAll = false;
  #receivedAll = false;
  #lingered = false;
  #cancelLinger: Cancel | undefined;

  constructor(host: StreamHost, local: Endpoint, remote: Endpoint, client: boolean, queueLimit: number) {
    this.#host = host;
    this.local = local;
    this.remote = remote;
    this.client = client;
    this.#queueLimit = queueLimit;
    this.#sender = new StreamSender({
      timeline: host.timeline,
      settings: host.settings,
      client,
      emit: (segment) => host.emit(this, segment),
      left: () => this.#left(),
      gaveUp: () => this.#break("reset", "unanswered"),
      sentAll: () => {
        this.#sentAll = true;
        this.#goWhenDone();
      },
    });
    this.#receiver = new StreamReceiver({
      deliver: (bytes) => this.#deliver(bytes),
      finished: () => this.#finished(),
    });
  }

  get queued(): number {
    return this.#sender.queued;
  }

  /** Whether it has ended or was closed. */
  get closed(): boolean {
    return this.#over;
  }

  /** Says the first word: `connect` of the end that connects, `accept` of the other. */
  open(): void {
    this.#sender.open(this.client ? "connect" : "accept");
  }

  write(bytes: Uint8Array): boolean {
    if (this.#over) return false;
    if (bytes.length > this.#queueLimit) {
      const { timeline } = this.#host;
      timeline.schedule(timeline.now, () => {
        if (!this.#over) this.abort("overflow");
      });
      return false;
    }
    if (this.queued + bytes.length > this.#queueLimit) {
      this.#refused = true;
      return false;
    }
    if (bytes.length === 0) return true;
    this.#sender.write(bytes.slice());
    bytes.fill(POISON);
    return true;
  }

  pause(): void {
    if (!this.#over) this.#receiver.paused = true;
  }

  resume(): void {
    if (!this.#receiver.paused) return;
    this.#receiver.paused = false;
    if (!this.#receiver.holding) return;
    const { timeline } = this.#host;
    timeline.schedule(timeline.now, () => this.#readOn());
  }

  close(): void {
    if (this.#over) return;
    this.#retire();
    this.#sender.finish();
    this.resume(); // what still comes is dropped
  }

  /** Breaks the stream off: the other side sees a reset. `reason`: what the owner of this end is told, if anything. */
  abort(reason?: StreamEnd): void {
    if (this.#gone) return;
    this.#emit("reset");
    this.#break(reason, "reset");
  }

  segmentArrived(segment: Segment): void {
    const { kind, number, limit } = segment;
    if (this.#gone) return;
    if (kind === "connect") {
      if (!this.#opened) this.#sender.repeat();
    } else if (kind === "reset") {
      this.#break("reset", "reset");
    } else if (kind === "acknowledge") {
      if (!this.client) this.#meet();
      this.#sender.acknowledge(number, limit);
    } else {
      this.#numberedArrived(segment);
    }
  }

  #numberedArrived(segment: Segment): void {
    // Whoever sends these has seen our first segment.
    if (!this.#opened) this.#sender.acknowledge(0, 0);
    this.#meet();
    try {
      if (segment.kind !== "probe") this.#receiver.receive(segment);
    } finally {
      this.#acknowledge(segment.number);
    }
  }

  /** The number of the first segment, `connect`, is taken as received. */
  accept(connect: Segment): void {
    this.#receiver.receive(connect);
    this.open();
  }

  #meet(): void {
    if (this.#opened) return;
    this.#opened = true;
    this.#host.opened(this);
  }

  #readOn(): void {
    if (this.#gone || this.#receiver.paused) return;
    try {
      this.#receiver.drain();
    } finally {
      this.#acknowledge();
    }
  }

  #acknowledge(number = NO_NUMBER): void {
    if (!this.#gone) this.#emit("acknowledge", { number });
    this.#goWhenDone();
  }

  #emit(kind: SegmentKind, parts: Partial<Segment> = {}): void {
    this.#host.emit(this, makeSegment(kind, this.client, { limit: this.#receiver.limit, ...parts }));
  }

  #deliver(bytes: Uint8Array): void {
    if (this.#over) return;
    const { onData } = this;
    if (onData === undefined) throw new Error("A stream whose owner has not set onData got data: set it at once.");
    const copy = bytes.slice();
    try {
      onData(copy);
    } finally {
      copy.fill(POISON);
    }
  }

  #left(): void {
    if (!this.#refused || this.#over || 2 * this.queued > this.#queueLimit) return;
    this.#refused = false;
    this.onWritable?.();
  }

  /** The other side has closed: so do we, after what waits. */
  #finished(): void {
    this.#receivedAll = true;
    if (this.#over) return;
    const { onEnd } = this;
    this.#retire();
    this.#sender.finish();
    onEnd?.("ended");
  }

  #break(reason: StreamEnd | undefined, why: "reset" | "unanswered"): void {
    if (this.#gone) return;
    const { onEnd } = this;
    const tell = !this.#over;
    this.#retire();
    this.#go(why);
    if (tell && reason !== undefined) onEnd?.(reason);
  }

  #retire(): void {
    this.#over = true;
    this.onData = undefined;
    this.onWritable = undefined;
    this.onEnd = undefined;
    const { timeline } = this.#host;
    this.#cancelLinger ??= timeline.schedule(timeline.now + LINGER, () => this.#stopLingering());
  }

  /** What has left is the system's, which goes on with it. */
  #stopLingering(): void {
    this.#lingered = true;
    if (this.queued > 0) this.abort();
    else this.#goWhenDone();
  }

  #goWhenDone(): void {
    if (this.#sentAll && (this.#receivedAll || this.#lingered)) this.#go("finished");
  }

  #go(reason: "finished" | "reset" | "unanswered"): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#sender.stop();
    this.#cancelLinger?.();
    this.#host.gone(this, reason);
  }
}
