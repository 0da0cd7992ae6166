import { formatAddress, parseAddress } from "../util/endpoint.ts";
import type { LinkProperties } from "./link.ts";
import { SeededRandom } from "./seeded_random.ts";
import { type HostOptions, SimHost } from "./simulated_host.ts";
import { type NatOptions, SimNat } from "./simulated_nat.ts";
import { SimulatedNetwork } from "./simulated_network.ts";
import { Timeline } from "./timeline.ts";
import { Trace } from "./trace.ts";
import { VirtualClock } from "./virtual_clock.ts";

export interface UniverseOptions {
  /** Everything follows from it. `replaySeed()` when a test wants the environment to choose. */
  readonly seed?: number | string;
  /** How hosts are linked unless `network.setLink` says otherwise. */
  readonly link?: Partial<LinkProperties>;
  /** Unix time, in seconds, when the universe begins. */
  readonly wallStart?: number;
}

export interface RunUntilOptions {
  /** Virtual ms to wait, 60,000 when left out. */
  readonly timeout?: number;
  /** What is waited for, for the error. */
  readonly what?: string;
}

/** The environment variable that chooses the seed: `TOX_SEED=1234 npx vitest …` plays a failed run again. */
export const SEED_VARIABLE = "TOX_SEED";
const DEFAULT_SEED = "1";
const DEFAULT_WALL_START = 1_700_000_000;
/** So many events without time passing: something sets timers for now, for ever. */
const MAX_EVENTS_AT_ONCE = 200_000;
const MAX_BATCH = 256;

/** The seed from the environment variable `TOX_SEED`, or else a fixed one. */
export function replaySeed(otherwise: number | string = DEFAULT_SEED): string {
  return process.env[SEED_VARIABLE] ?? String(otherwise);
}

/**
 * A small world with its own time and network, in which whole instances run. Nothing happens in it but while `run`,
 * `runUntil` or `wait` is under way; then time leaps from event to event. Same seed and same calls: same datagrams.
 */
export class Universe {
  readonly seed: string;
  readonly random: SeededRandom;
  readonly network: SimulatedNetwork;
  /** Off until `trace.start()`. */
  readonly trace = new Trace();
  readonly #timeline = new Timeline();
  readonly #hosts = new Map<string, SimHost>(); // bounded by the test
  readonly #nats = new Map<string, SimNat>(); // bounded by the test
  readonly #wallStart: number;
  #running = false;
  #events = 0;
  #eventsAtOnce = 0;

  constructor(options: UniverseOptions = {}) {
    this.seed = String(options.seed ?? DEFAULT_SEED);
    this.random = new SeededRandom(this.seed);
    this.#wallStart = options.wallStart ?? DEFAULT_WALL_START;
    this.network = new SimulatedNetwork(this.#timeline, this.random.fork("network"), this.trace, options.link);
  }

  /** Virtual ms since the universe began. */
  get now(): number {
    return this.#timeline.now;
  }

  /** How many events have happened: datagrams that arrived and timers that fired. */
  get events(): number {
    return this.#events;
  }

  get hosts(): readonly SimHost[] {
    return [...this.#hosts.values()];
  }

  /** A new host. Names are unique, and other hosts can look them up. */
  host(name: string, options: HostOptions = {}): SimHost {
    this.#checkName(name);
    const addresses = this.#addressesFor(this.#hosts.size + this.#nats.size, options);
    const clock = new VirtualClock(this.#timeline, this.#wallStart);
    const random = this.random.fork(`host ${name}`);
    const host = new SimHost(name, addresses, options, this.network, clock, random);
    this.#hosts.set(name, host);
    this.network.addName(name, ...addresses.filter(({ length }) => length === 16 || options.behind === undefined));
    return host;
  }

  /** A new NAT, for hosts and other NATs to be `behind`. Its name resolves to its address outside. */
  nat(name: string, options: NatOptions): SimNat {
    this.#checkName(name);
    const { behind } = options;
    const index = this.#nats.size;
    const [automatic] = this.#addressesFor(this.#hosts.size + index, {});
    const address = given(options.address) ?? behind?.freeAddress() ?? automatic;
    if (address?.length !== 4) throw new Error(`${options.address} is no IPv4 address.`);
    const subnet = given(options.subnet) ?? automaticSubnet(index);
    const nat = new SimNat(name, options, {
      timeline: this.#timeline,
      random: this.random.fork(`nat ${name}`),
      outside: behind?.inside ?? this.network.internet,
      address,
      subnet,
      intern: (bytes, port) => this.network.intern(bytes, port),
      moved: (bytes) => this.network.addName(name, bytes),
    });
    this.#nats.set(name, nat);
    this.network.addName(name, address);
    return nat;
  }

  /** Calls `fn` at a virtual time, whatever the hosts do. */
  at(time: number, fn: () => void): void {
    this.#timeline.schedule(time, fn);
  }

  /** Lets `ms` of virtual time pass. Rejects with what a timer or a datagram handler throws. */
  async run(ms: number): Promise<void> {
    const end = this.now + ms;
    await this.#drive(end, () => false);
  }

  /** Lets time pass until the condition holds; rejects after the timeout. The condition is tried after every event. */
  async runUntil(condition: () => boolean, options: RunUntilOptions = {}): Promise<void> {
    const { timeout = 60_000, what = "the condition" } = options;
    const start = this.now;
    if (await this.#drive(start + timeout, condition)) return;
    throw new Error(this.#describe(`Waited ${timeout} virtual ms in vain for ${what}`));
  }

  /** Lets time pass until the promise settles, and answers what it brings. */
  async wait<T>(promise: PromiseLike<T>, options: RunUntilOptions = {}): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    promise.then(settle, settle);
    await this.runUntil(() => settled, { what: "a promise", ...options });
    return await promise;
  }

  partition(groupA: Iterable<SimHost>, groupB: Iterable<SimHost>): void {
    this.network.partition(groupA, groupB);
  }

  heal(): void {
    this.network.heal();
  }

  /** `trace.hash()`: same for two runs in which the same datagrams travelled. */
  traceHash(): string {
    return this.trace.hash();
  }

  /**
   * Runs events up to `end`, until `condition` holds. Each event has an immediate of its own: Node empties the microtask
   * queue between any two, so that awaiting code in the instances has gone as far as it can before time moves on.
   * They are queued in batches since a turn of the event loop costs far more than an immediate.
   */
  #drive(end: number, condition: () => boolean): Promise<boolean> {
    if (this.#running)
      throw new Error(this.#describe("The universe is running already: await one run before the next"));
    this.#running = true;
    return new Promise<boolean>((resolve, reject) => {
      let finished = false;
      const finish = (settle: () => void) => {
        finished = true;
        this.#running = false;
        settle();
      };
      const turn = () => {
        if (finished) return;
        try {
          if (condition()) finish(() => resolve(true));
          else if (!this.#step(end)) finish(() => resolve(false));
        } catch (error) {
          const message = error instanceof Error ? error.message : String(error);
          finish(() => reject(new Error(this.#describe(message), { cause: error })));
        }
      };
      const batch = (size: number) => {
        for (let i = 1; i < size; i++) setImmediate(turn);
        setImmediate(() => {
          turn();
          if (!finished) batch(Math.min(2 * size, MAX_BATCH));
        });
      };
      batch(4);
    });
  }

  /** False when nothing more is due, and time has gone to the end. */
  #step(end: number): boolean {
    const before = this.now;
    if (!this.#timeline.step(end)) {
      this.#timeline.advance(end);
      return false;
    }
    this.#events++;
    this.#eventsAtOnce = this.now > before ? 0 : this.#eventsAtOnce + 1;
    if (this.#eventsAtOnce > MAX_EVENTS_AT_ONCE) throw new Error("Events follow one another without time passing");
    return true;
  }

  #describe(problem: string): string {
    return `${problem} (seed ${this.seed}, virtual time ${this.now.toFixed(3)} ms; replay with ${SEED_VARIABLE}=${this.seed})`;
  }

  #checkName(name: string): void {
    if (this.#hosts.has(name) || this.#nats.has(name)) throw new Error(`Two hosts are called ${name}.`);
  }

  /** 198.18.0.0/15 is set aside for testing networks, 2001:db8::/32 for examples: neither is anybody's, neither is a LAN. */
  #addressesFor(index: number, options: HostOptions): Uint8Array[] {
    const addresses: Uint8Array[] = [];
    const { ipv4, ipv6 = false, behind } = options;
    const [high, low] = [(index >> 8) & 0xff, index & 0xff];
    const automaticIpv4 = () => behind?.freeAddress() ?? Uint8Array.of(198, 18 + (high & 1), low, 1 + (high >> 1));
    if (ipv4 !== false) addresses.push(given(ipv4) ?? automaticIpv4());
    if (ipv6 !== false) {
      const automatic = Uint8Array.of(0x20, 0x01, 0x0d, 0xb8, 0, 0, high, low, 0, 0, 0, 0, 0, 0, 0, 1);
      addresses.push(given(ipv6 === true ? undefined : ipv6) ?? automatic);
    }
    const wrong = addresses.find((address, i) => i > 0 && address.length === addresses[0]?.length);
    if (wrong) throw new Error(`${formatAddress(wrong)} is of the wrong family.`);
    return addresses;
  }
}

/** 192.168.0.0/24 and so on, and when they are used up 10.0.0.0/24 and so on. */
function automaticSubnet(index: number): Uint8Array {
  if (index < 256) return Uint8Array.of(192, 168, index, 0);
  return Uint8Array.of(10, (index >> 8) - 1, index & 0xff, 0);
}

function given(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined;
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is no address.`);
  return address;
}
