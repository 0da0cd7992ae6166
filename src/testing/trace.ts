import type { Endpoint } from "../env/datagram.ts";
import { formatEndpoint } from "../util/endpoint.ts";
import type { SegmentKind } from "./segment.ts";

/** What became of a datagram, or of a segment of a stream. */
export type Fate =
  | "delivered"
  | "lost"
  | "queue-full"
  | "partitioned"
  | "filtered"
  | "sender-offline"
  | "receiver-offline"
  | "no-host"
  | "no-socket"
  | "blocked"
  | "no-mapping"
  | "nat-filtered"
  | "no-hairpin";

/** What an entry tells beyond the ordinary. */
export interface TraceDetails {
  /** Of a segment of a stream; acknowledgements and probes are not recorded. */
  readonly segment?: SegmentKind;
  /** The sender's own endpoint, where a NAT has translated it. */
  readonly insideFrom?: Endpoint;
  /** The receiver's own endpoint, where a NAT has translated it. */
  readonly insideTo?: Endpoint;
}

export interface TraceEntry extends TraceDetails {
  readonly protocol: "udp" | "tcp";
  /** Virtual ms, when the fate was known. */
  readonly time: number;
  /** The sender as the receiver sees it, outside its NATs. */
  readonly from: Endpoint;
  /** What the sender sent to. */
  readonly to: Endpoint;
  readonly length: number;
  /** The packet's id; undefined for an empty datagram or segment. */
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

  /** Records from now on; the hash covers every datagram and segment, the entries only the first `limit`. */
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

  /** How many datagrams and segments were recorded, beyond the limit too. */
  get count(): number {
    return this.#count;
  }

  record(time: number, from: Endpoint, to: Endpoint, bytes: Uint8Array, fate: Fate, details?: TraceDetails): void {
    if (!this.#recording) return;
    this.#count++;
    this.#hashEntry(time, from, to, bytes, fate);
    if (details !== undefined) this.#hashDetails(details);
    if (this.#entries.length >= this.#limit) return;
    const protocol = details?.segment === undefined ? "udp" : "tcp";
    this.#entries.push({ protocol, time, from, to, length: bytes.length, firstByte: bytes[0], fate, ...details });
  }

  /** Same for two runs exactly when every datagram and segment had the same time, ends, bytes and fate. */
  hash(): string {
    return [this.#count, this.#low, this.#high].map((part) => (part >>> 0).toString(16).padStart(8, "0")).join("");
  }

  /** One line a datagram or segment, the last `count` of them; what a NAT has translated in brackets. */
  format(count = this.#entries.length): string {
    const line = (entry: TraceEntry) => {
      const id = entry.firstByte === undefined ? "empty" : `0x${entry.firstByte.toString(16).padStart(2, "0")}`;
      const ends = `${formatEnd(entry.from, entry.insideFrom)} > ${formatEnd(entry.to, entry.insideTo)}`;
      const what = entry.segment === undefined ? id : `tcp ${entry.segment}`;
      return `${entry.time.toFixed(3)} ${ends} ${what} ${entry.length} B ${entry.fate}`;
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

  #hashDetails({ segment, insideFrom, insideTo }: TraceDetails): void {
    const kind: string = segment ?? "";
    for (let i = 0; i < kind.length; i++) this.#mix(kind.charCodeAt(i));
    for (const end of [insideFrom, insideTo]) {
      if (end === undefined) continue;
      for (const byte of end.address) this.#mix(byte);
      this.#mix(end.port);
    }
  }

  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193);
    this.#high = Math.imul(this.#high ^ value ^ (this.#low >>> 15), 0x85ebca6b);
  }
}

function formatEnd(outside: Endpoint, inside: Endpoint | undefined): string {
  return inside === undefined ? formatEndpoint(outside) : `${formatEndpoint(outside)} (${formatEndpoint(inside)})`;
}
