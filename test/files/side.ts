import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { loadCryptoProvider } from "../../src/node/index.ts";
import { Victim } from "../crash/victim.ts";
import type { Orders } from "./person.ts";

const PERSON = fileURLToPath(new URL("person.ts", import.meta.url));
const MEMORY_EVERY_MS = 1_000;

/** Of one process, in bytes. */
export interface MemoryTaken {
  readonly resident: number;
  /** What is alive after the garbage has been collected. */
  readonly alive: number;
}

export interface Over {
  readonly state: string;
  readonly seconds: number;
  /** SHA-256 of what was received. */
  readonly hash: string;
}

/** One of ours in a process of its own, which can be killed and started again. */
export class Side {
  readonly publicKey: string;
  readonly memory: MemoryTaken[] = []; // one a second
  readonly #secretKey: string;
  readonly #folder: string;
  readonly #overs: Over[] = [];
  #victim: Victim | undefined;
  #measuring: NodeJS.Timeout | undefined;
  #friend = "none";
  #bytes = 0;
  #sentBefore = 0;
  #sent = 0;

  static async create(folder: string): Promise<Side> {
    const crypto = await loadCryptoProvider();
    const secret = new Uint8Array(randomBytes(32));
    const publicKey = new Uint8Array(32);
    crypto.publicKey(publicKey, secret);
    return new Side(folder, Buffer.from(secret).toString("hex"), Buffer.from(publicKey).toString("hex").toUpperCase());
  }

  private constructor(folder: string, secretKey: string, publicKey: string) {
    this.#folder = folder;
    this.#secretKey = secretKey;
    this.publicKey = publicKey;
  }

  get folder(): string {
    return this.#folder;
  }

  /** How far the last transfer has come. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of datagrams that left, in all of its lives. */
  get sent(): number {
    return this.#sentBefore + this.#sent;
  }

  get online(): boolean {
    return this.#friend !== "none";
  }

  async start(friend: string, node: Orders["node"]): Promise<void> {
    const profile = join(this.#folder, "profile.tox");
    const orders: Orders = { profile, secretKey: this.#secretKey, friend, node, folder: this.#folder };
    this.#friend = "none";
    this.#victim = new Victim(PERSON, [JSON.stringify(orders)], (words) => this.#listen(words));
    await this.#victim.says("ready");
    this.#measuring = setInterval(() => this.#order("memory"), MEMORY_EVERY_MS);
  }

  send(path: string): void {
    this.#order(`send ${path}`);
  }

  async kill(): Promise<void> {
    clearInterval(this.#measuring);
    this.#friend = "none";
    await this.#victim?.kill();
    this.#sentBefore += this.#sent;
    this.#sent = 0;
  }

  async end(): Promise<void> {
    clearInterval(this.#measuring);
    await this.#victim?.end();
  }

  /** How the next transfer ended. */
  async over(timeoutMs: number): Promise<Over> {
    await until("a transfer to be over", () => this.#overs.length > 0, timeoutMs);
    return this.#overs.shift() as Over;
  }

  /** What it takes now, where nothing goes on; what was measured before is forgotten. */
  async idle(): Promise<MemoryTaken> {
    this.memory.length = 0;
    return this.measure();
  }

  /** What it takes now. */
  async measure(): Promise<MemoryTaken> {
    const { length } = this.memory;
    await until("a measurement", () => this.memory.length > length, 60_000);
    return this.memory.at(-1) as MemoryTaken;
  }

  #order(line: string): void {
    this.#victim?.order(line);
  }

  #listen([what, ...values]: readonly string[]): void {
    const [first = "", , third = "", fourth = ""] = values;
    if (what === "friend") this.#friend = first;
    else if (what === "progress") this.#bytes = Number(first);
    else if (what === "over") this.#overs.push({ state: first, seconds: Number(third), hash: fourth });
    else if (what === "memory") {
      const [resident = 0, alive = 0, sent = 0] = values.map(Number);
      this.memory.push({ resident, alive });
      this.#sent = sent;
    }
  }
}

export async function until(what: string, condition: () => boolean, timeoutMs: number): Promise<number> {
  const started = performance.now();
  while (!condition()) {
    if (performance.now() - started > timeoutMs) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await delay(5);
  }
  return performance.now() - started;
}
