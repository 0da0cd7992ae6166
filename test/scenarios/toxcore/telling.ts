import type { Endpoint } from "../../../src/env/datagram.ts";
import type { TraceEntry } from "../../../src/testing/index.ts";
import { formatAddress } from "../../../src/util/endpoint.ts";
import { PacketId } from "../../../src/wire/packet_ids.ts";
import { HEARD_EVENTS } from "../../support/heard.ts";
import type { Person, Story } from "../../support/people.ts";

interface Line {
  /** Virtual ms. */
  readonly time: number;
  readonly text: string;
}

const PACKET_NAMES = new Map<number, string>(Object.entries(PacketId).map(([name, id]) => [id, name]));

/** What happened in a story, for a person to read: who sent what to whom, what became of it, and who then heard what. */
export class Telling {
  readonly #heard: Line[] = []; // bounded by the story
  readonly #names = new Map<string, string>(); // by address; bounded by the story's hosts

  listenTo({ tox, host }: Person, { universe }: Story): void {
    for (const name of HEARD_EVENTS) {
      tox.on(name, (event) => {
        this.#heard.push({ time: universe.now, text: `${host.name} hears ${name} ${described(event)}` });
      });
    }
  }

  /** In the order of time. */
  *lines({ universe }: Story): Generator<string> {
    for (const { name, address } of universe.hosts) this.#names.set(address, name);
    const heard = this.#heard.values();
    let next = heard.next();
    for (const entry of universe.trace.entries) {
      for (; !next.done && next.value.time < entry.time; next = heard.next()) yield line(next.value);
      yield line({ time: entry.time, text: this.#travelled(entry) });
    }
    for (; !next.done; next = heard.next()) yield line(next.value);
  }

  #travelled({ from, to, length, firstByte, fate }: TraceEntry): string {
    const what = firstByte === undefined ? "nothing" : (PACKET_NAMES.get(firstByte) ?? `0x${firstByte.toString(16)}`);
    const how = fate === "delivered" ? "" : `  ${fate}`;
    return `${this.#who(from)} > ${this.#who(to)}  ${what} ${length} B${how}`;
  }

  #who({ address }: Endpoint): string {
    const text = formatAddress(address);
    return this.#names.get(text) ?? text;
  }
}

function line({ time, text }: Line): string {
  return `${time.toFixed(1).padStart(10)}  ${text}`;
}

/** The event's own words: a friend by name, bytes and long texts shortened. */
function described(event: object): string {
  const parts = Object.entries(event).map(([field, value]) => `${field}=${worded(value)}`);
  return parts.join(" ");
}

function worded(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} B`;
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "object" && value !== null) return named(value);
  return typeof value === "function" ? "…" : String(value);
}

function named(value: object): string {
  if ("text" in value) return worded(value.text);
  const name = "name" in value ? String(value.name) : "";
  return name || ("publicKey" in value ? String(value.publicKey).slice(0, 8) : "…");
}
