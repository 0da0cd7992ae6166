import type { Endpoint } from "../env/datagram.ts";
import { formatEndpoint } from "../util/endpoint.ts";

/** What became of a datagram. */
export type Fate =
  | "delivered"
  | "lost"
  | "queue-full"
  | "partitioned"
  | "filtered"
  | "sender-offline"
  | "receiver-offline"
  | "no-host"
  | "no-socket";

export interface TraceEntry {
  /** Virtual ms, when the fate was known. */
  readonly time: number;
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly length: number;
  /** The packet's id, or undefined for an empty datagram. */
  readonly firstByte: number | undefined;
  readonly fate: Fate;
}

/** What travelled. Off until `start()`. */
export class Trace {
  readonly #entries: TraceEntry[] = []; // bounded by #limit
  #recording = false;
  #limit = 0;
  #count = 0;
  #low = 0x811c9dc5;
  #high = 0x1b873593;

  /** Records from now on; the hash covers every datagram, the entries only the first `limit`. */
  start(limit = 100_000): void {
    this.#recording = true;
    this.#limit = limit;
  }

  stop(): void {
    this.#recording = false;
  }

  get recording(): boolean {
    return this.#recording;
  }

  get entries(): readonly TraceEntry[] {
    return this.#entries;
  }

  /** How many datagrams were recorded, beyond the limit too. */
  get count(): number {
    return this.#count;
  }

  record(time: number, from: Endpoint, to: Endpoint, bytes: Uint8Array, fate: Fate): void {
    if (!this.#recording) return;
    this.#count++;
    this.#hashEntry(time, from, to, bytes, fate);
    if (this.#entries.length >= this.#limit) return;
    this.#entries.push({ time, from, to, length: bytes.length, firstByte: bytes[0], fate });
  }

  /** Same for two runs exactly when every datagram had the same time, ends, bytes and fate. */
  hash(): string {
    return [this.#count, this.#low, this.#high].map((part) => (part >>> 0).toString(16).padStart(8, "0")).join("");
  }

  /** One line a datagram, the last `count` of them. */
  format(count = this.#entries.length): string {
    const line = (entry: TraceEntry) => {
      const id = entry.firstByte === undefined ? "empty" : `0x${entry.firstByte.toString(16).padStart(2, "0")}`;
      const ends = `${formatEndpoint(entry.from)} > ${formatEndpoint(entry.to)}`;
      return `${entry.time.toFixed(3)} ${ends} ${id} ${entry.length} B ${entry.fate}`;
    };
    return this.#entries.slice(-count).map(line).join("\n");
  }

  #hashEntry(time: number, from: Endpoint, to: Endpoint, bytes: Uint8Array, fate: Fate): void {
    this.#mix(Math.floor(time * 1000));
    for (const end of [from, to]) {
      for (const byte of end.address) this.#mix(byte);
      this.#mix(end.port);
    }
    for (let i = 0; i < fate.length; i++) this.#mix(fate.charCodeAt(i));
    this.#mix(bytes.length);
    for (const byte of bytes) this.#mix(byte);
  }

  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193);
    this.#high = Math.imul(this.#high ^ value ^ (this.#low >>> 15), 0x85ebca6b);
  }
}
