import type { Friend, Tox, ToxEvents } from "../../../src/core.ts";
import { MemoryLogger, memoryStore } from "../../../src/testing/index.ts";
import { nodeOf, type Person, Story } from "../people.ts";
import { CuttableStore } from "./cuttable_store.ts";
import { Dice } from "./dice.ts";
import { CUSTOM_LOSSLESS, CUSTOM_LOSSY, type Lane, type LaneEnd, short } from "./lane.ts";
import { NetworkTroubles } from "./network_troubles.ts";
import { Someone } from "./someone.ts";

/** Everything that a chaotic story needs to know beforehand. All of it is drawn from the seed when left out. */
export interface ChaosOptions {
  readonly people?: number;
  readonly crowd?: number;
  /** How many things happen. */
  readonly events?: number;
  /** Whether people's instances crash, quit and start again. */
  readonly restarts?: boolean;
  /** Whether what was sent and handled survives that. */
  readonly durable?: boolean;
  /** Tells what happens. */
  readonly log?: (line: string) => void;
}

export interface ChaosReport {
  readonly seed: number;
  readonly people: number;
  readonly crowd: number;
  readonly sent: number;
  readonly shown: number;
  /** Virtual ms from the moment the network is whole until everybody is there and everything is delivered. */
  readonly onlineAfter: number;
  readonly deliveredAfter: number;
  readonly virtualMs: number;
  readonly events: number;
  readonly problems: string[];
}

/** Of a message, in bytes: more than fits into one packet between our own. */
const LONGEST = 1372;
const RECOVERY_TIMEOUT = 1_800_000;
/** Timers of an instance at rest: a few for each node and friend that it knows. */
const MAX_TIMERS_AT_REST = 250;

/** A random story: people who talk while everything that can happen to a network happens to theirs. */
export async function playChaos(seed: number, options: ChaosOptions = {}): Promise<ChaosReport> {
  return new Chaos(seed, options).play();
}

class Chaos {
  readonly #seed: number;
  readonly #dice: Dice;
  readonly #story: Story;
  readonly #network: NetworkTroubles;
  readonly #logger = new MemoryLogger(5000);
  readonly #log: (line: string) => void;
  readonly #people: Someone[] = [];
  readonly #crowd: Person[] = [];
  readonly #living: Person[] = []; // nodes of the crowd that have not died
  readonly #problems: string[] = [];
  readonly #counts: { people: number; crowd: number; events: number; restarts: boolean; durable: boolean };
  readonly #publicKeys = new Map<Someone, string>(); // bounded by the people
  #texts = 0;

  constructor(seed: number, options: ChaosOptions) {
    this.#seed = seed;
    this.#dice = new Dice(`chaos ${seed}`);
    this.#story = new Story({ seed: `chaos ${seed}` });
    this.#log = options.log ?? (() => {});
    this.#network = new NetworkTroubles(this.#story.universe, this.#dice, (what) => this.#tell(what));
    const restarts = this.#dice.chance(0.5);
    const durable = this.#dice.chance(0.5);
    this.#counts = {
      people: options.people ?? this.#dice.pick([2, 2, 2, 3, 3, 4, 5]),
      crowd: options.crowd ?? this.#dice.pick([0, 0, 1, 2, 3, 4, 6, 8]),
      events: options.events ?? this.#dice.whole(8, 25),
      restarts: options.restarts ?? restarts,
      durable: options.durable ?? durable,
    };
  }

  async play(): Promise<ChaosReport> {
    const rejected = (reason: unknown) => this.#problem(`unhandled rejection: ${String(reason)}`);
    process.on("unhandledRejection", rejected);
    try {
      await this.#begin();
      for (let i = 0; i < this.#counts.events; i++) {
        await this.#story.pass(
          this.#dice.pick([10, 200, 1000, 5000, 15_000, 40_000, 60_000, 120_000]) * this.#dice.next(),
        );
        await this.#somethingHappens();
        if (this.#problems.length > 0) break;
      }
      const { onlineAfter, deliveredAfter } = await this.#recover();
      await this.#end();
      return {
        seed: this.#seed,
        people: this.#counts.people,
        crowd: this.#counts.crowd,
        sent: this.#sum((lane) => lane.sent.length),
        shown: this.#sum((lane) => lane.shown.length),
        onlineAfter,
        deliveredAfter,
        virtualMs: this.#story.universe.now,
        events: this.#story.universe.events,
        problems: this.#problems,
      };
    } finally {
      process.off("unhandledRejection", rejected);
    }
  }

  async #begin(): Promise<void> {
    const { people, crowd } = this.#counts;
    for (let i = 0; i < crowd; i++) {
      const bootstrap = this.#crowd.slice(0, 1).map(nodeOf);
      this.#crowd.push(await this.#story.person(`node ${i}`, { bootstrap, host: { logger: this.#logger } }));
    }
    this.#living.push(...this.#crowd);
    for (let i = 0; i < people; i++) {
      const name = "ABCDE"[i] as string;
      const uplink = this.#dice.chance(0.15)
        ? { uplink: { bandwidth: this.#dice.whole(20_000, 500_000), queue: 20_000 } }
        : {};
      const host = this.#story.universe.host(name, { logger: this.#logger, ...uplink });
      const secretKey = new Uint8Array(32);
      this.#dice.fill(secretKey);
      this.#people.push(new Someone(name, host, secretKey));
    }
    for (const [i, one] of this.#people.entries()) {
      for (const other of this.#people.slice(i + 1)) {
        if (other !== this.#people[i + 1] && this.#dice.chance(0.3)) continue;
        one.friends.add(other);
        other.friends.add(one);
      }
    }
    for (const one of this.#people) {
      if (this.#counts.durable) one.store = new CuttableStore(memoryStore());
      await this.#start(one);
    }
    this.#log(`${people} people, ${crowd} nodes, ${JSON.stringify(this.#counts)}`);
    if (this.#dice.chance(0.5)) await this.#story.pass(this.#dice.whole(0, 60_000));
  }

  /** A person's instance, new or after another. The anchor of the story never ends, so there is always a way back. */
  async #start(one: Someone): Promise<void> {
    one.life++;
    const anchor = this.#people[0];
    const others = this.#people.filter((other) => other !== one && other.tox !== undefined);
    const bootstrap = [
      ...this.#living.slice(0, 3).map(nodeOf),
      ...(this.#crowd.length > 0 ? [] : others.filter((other) => other === anchor).map((other) => this.#nodeOf(other))),
    ];
    const store = one.store === undefined ? {} : { store: one.store };
    const person = await this.#story.restart(one.host, one.name, { secretKey: one.secretKey, bootstrap, ...store });
    one.tox = person.tox;
    this.#publicKeys.set(one, person.tox.publicKey);
    this.#listen(one, person.tox);
    for (const other of one.friends) await this.#befriend(person.tox, one, other);
  }

  /** Sometimes by a request, which has to come through as well. */
  async #befriend(tox: Tox, one: Someone, other: Someone): Promise<void> {
    const key = this.#publicKeyOf(other);
    const isKnown = other.tox?.friend(tox.publicKey) !== undefined;
    if (other.tox !== undefined && !isKnown && one.life === 1 && this.#dice.chance(0.4)) {
      await tox.addFriend(other.tox.id, `I am ${one.name}`);
      return;
    }
    if (key !== undefined && tox.friend(key) === undefined) await tox.addFriendWithoutRequest(key);
    if (!isKnown) await other.tox?.addFriendWithoutRequest(tox.publicKey);
  }

  #publicKeyOf(one: Someone): string | undefined {
    return this.#publicKeys.get(one);
  }

  #nodeOf(one: Someone): { host: string; port: number; publicKey: string } {
    const tox = one.tox as Tox;
    return { host: one.host.address, port: tox.udpPort, publicKey: tox.dhtPublicKey };
  }

  #listen(one: Someone, tox: Tox): void {
    const { life } = one;
    const senderOf = (friend: Friend) => this.#people.find((other) => this.#publicKeyOf(other) === friend.publicKey);
    tox.on("friendRequest", (request) => request.accept());
    tox.on("message", ({ friend, text }) => {
      const lane = senderOf(friend)?.laneTo(one);
      if (lane === undefined) return this.#problem(`${one.name} is shown a message of a stranger`);
      if (lane.delivered.has(text)) this.#problem(`"${short(text)}" is shown again, though it was delivered`);
      const shown = { text, life, handled: false };
      lane.shown.push(shown);
      const takes = this.#dice.between(...one.slowness);
      if (takes < 1) {
        shown.handled = true;
        return undefined;
      }
      return new Promise<void>((resolve) => {
        this.#story.universe.at(this.#story.universe.now + takes, () => {
          if (one.life !== life || one.tox !== tox) return; // it has crashed meanwhile
          shown.handled = true;
          resolve();
        });
      });
    });
    tox.on("delivered", ({ friend, message }) => {
      const other = senderOf(friend);
      const lane = other && one.laneTo(other);
      if (lane?.delivered.has(message.text)) this.#problem(`"${short(message.text)}" is delivered twice`);
      lane?.delivered.add(message.text);
      if (!lane?.shown.some((shown) => shown.text === message.text && shown.handled)) {
        this.#problem(`"${short(message.text)}" is said to be delivered, but was not handled`);
      }
    });
    tox.on("packet", ({ friend, bytes }: ToxEvents["packet"]) => {
      const lane = senderOf(friend)?.laneTo(one);
      const count = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
      lane?.customShown.push({ id: bytes[0] as number, count, life });
    });
  }

  async #somethingHappens(): Promise<void> {
    const someone = this.#dice.pick(this.#people);
    const mortal = this.#people.length > 1 ? this.#dice.pick(this.#people.slice(1)) : someone;
    const happenings: Array<readonly [weight: number, happen: () => void | Promise<void>]> = [
      [10, () => this.#talk(someone, this.#dice.whole(1, 20))],
      [1, () => this.#talk(someone, 2000)],
      [5, () => this.#cutShort(someone)],
      [3, () => this.#sendCustom(someone)],
      [3, () => this.#network.changeLinks()],
      [2, () => this.#network.changeOneLink()],
      [2, () => this.#network.silenceOneWay(this.#dice.pick(this.#people).host)],
      [3, () => this.#network.part()],
      [4, () => this.#network.heal()],
      [2, () => this.#network.pullCable()],
      [2, () => this.#move(mortal)],
      [2, () => this.#jumpClock(someone)],
      [1, () => this.#killNode()],
      [2, () => this.#beSlow(someone)],
      [this.#counts.restarts ? 3 : 0, () => this.#crash(mortal)],
      [this.#counts.restarts ? 1 : 0, () => this.#quit(mortal)],
    ];
    const total = happenings.reduce((sum, [weight]) => sum + weight, 0);
    let at = this.#dice.between(0, total);
    for (const [weight, happen] of happenings) {
      at -= weight;
      if (at < 0) return happen();
    }
  }

  #talk(one: Someone, count: number, other: Someone = this.#dice.pick([...one.friends])): void {
    if (one.tox === undefined) return;
    this.#tell(`${one.name} writes ${count} messages to ${other.name}`);
    for (let i = 0; i < count; i++) this.#write(one, other);
  }

  /** The network fails in the middle of a talk, mostly for longer than a session lives, and works again: for a while, or at all. */
  async #cutShort(one: Someone): Promise<void> {
    const { universe } = this.#story;
    const other = this.#dice.pick([...one.friends]);
    for (let times = this.#dice.whole(1, 3); times > 0; times--) {
      if (this.#dice.chance(0.5)) this.#beSlow(other);
      this.#talk(one, this.#dice.pick([3, 30, 300]), other);
      this.#talk(other, this.#dice.pick([1, 10]), one);
      await this.#story.pass(this.#dice.pick([50, 300, 3000]) * this.#dice.next());
      const oneWay = this.#dice.chance(0.3);
      this.#tell(`nothing ${oneWay ? "from" : "between"} ${one.name} ${oneWay ? "to" : "and"} ${other.name}`);
      if (oneWay) universe.network.setLinkOneWay(one.host, other.host, { loss: 1 });
      else universe.partition([one.host], [other.host]);
      await this.#story.pass(this.#dice.pick([1000, 34_000, 45_000]));
      if (this.#dice.chance(0.3)) this.#talk(one, 3, other);
      universe.heal();
      universe.network.setLinkOneWay(one.host, other.host, { loss: this.#dice.pick([0, 0.1]) });
      await this.#story.pass(this.#dice.pick([0, 2000, 10_000]) * this.#dice.next());
    }
  }

  #write(one: Someone, other: Someone): void {
    const friend = this.#friendOf(one, other);
    if (friend === undefined) return;
    const lane = one.laneTo(other);
    const length = this.#dice.chance(0.1) ? this.#dice.pick([700, LONGEST, LONGEST]) : this.#dice.whole(10, 60);
    const text = `${one.name}${other.name} ${this.#texts++} `.padEnd(length, "x");
    lane.sent.push({ text, message: friend.send(text), life: one.life });
  }

  #sendCustom(one: Someone): void {
    if (one.tox === undefined) return;
    const other = this.#dice.pick([...one.friends]);
    const friend = this.#friendOf(one, other);
    if (friend === undefined || friend.connection === "none") return;
    const lane = one.laneTo(other);
    this.#tell(`${one.name} sends packets to ${other.name}`);
    for (let i = 0; i < 20; i++) {
      const bytes = new Uint8Array(this.#dice.chance(0.2) ? 1373 : 5);
      bytes[0] = i % 2 === 0 ? CUSTOM_LOSSLESS : CUSTOM_LOSSY;
      new DataView(bytes.buffer).setUint32(1, lane.customs++);
      friend.sendPacket(bytes);
    }
  }

  #move(one: Someone): void {
    this.#tell(`${one.name} moves`);
    one.host.moveTo(`198.19.${this.#dice.whole(1, 250)}.${this.#dice.whole(100, 250)}`);
  }

  #jumpClock(one: Someone): void {
    const seconds = Math.round((this.#dice.next() - 0.5) * this.#dice.pick([10, 1000, 100_000, 10_000_000]));
    this.#tell(`${one.name}'s clock jumps by ${seconds} s`);
    one.host.edges.clock.jumpWall(seconds);
  }

  /** The one that people start from, too; but the last one stays. */
  #killNode(): void {
    if (this.#living.length < 2) return;
    const node = this.#dice.chance(0.5) ? this.#living[0] : this.#dice.pick(this.#living);
    if (node === undefined) return;
    this.#tell(`${node.host.name} dies`);
    this.#living.splice(this.#living.indexOf(node), 1);
    node.host.crash();
  }

  #beSlow(one: Someone): void {
    one.slowness = this.#dice.pick([
      [0, 0],
      [1, 50],
      [0, 1000],
      [5_000, 30_000],
      [10_000, 150_000],
    ] as const);
    this.#tell(`${one.name} takes ${one.slowness} ms for a message`);
  }

  async #crash(one: Someone): Promise<void> {
    this.#tell(`${one.name} crashes`);
    one.tox = undefined;
    one.store = one.store?.cut();
    one.host.crash();
    await this.#startLater(one);
  }

  async #quit(one: Someone): Promise<void> {
    const { tox } = one;
    if (tox === undefined) return;
    this.#tell(`${one.name} quits`);
    await this.#story.universe.wait(tox.close());
    one.tox = undefined;
    if (one.host.edges.clock.pending > 0)
      this.#problem(`${one.host.edges.clock.pending} timers of ${one.name} survive`);
    await this.#startLater(one);
  }

  async #startLater(one: Someone): Promise<void> {
    await this.#story.pass(this.#dice.pick([0, 100, 3000, 60_000]) * this.#dice.next());
    this.#tell(`${one.name} starts again`);
    await this.#start(one);
  }

  /** The network becomes whole, and everybody finds everybody again. */
  async #recover(): Promise<{ onlineAfter: number; deliveredAfter: number }> {
    const { universe } = this.#story;
    this.#network.end();
    this.#tell("all is well again");
    for (const one of this.#people) one.slowness = [0, 0];
    const start = universe.now;
    const pairs = this.#people.flatMap((one) => [...one.friends].map((other) => [one, other] as const));
    try {
      const all = () => pairs.every(([one, other]) => this.#friendOf(one, other)?.connection === "udp");
      await this.#story.until("all to be online", all, RECOVERY_TIMEOUT);
    } catch (error) {
      const who = pairs.filter(([one, other]) => this.#friendOf(one, other)?.connection !== "udp");
      const names = who.map(([one, other]) => one.name + other.name).join(" ");
      this.#problem(`${String(error)}; not online: ${names}`);
    }
    const onlineAfter = universe.now - start;
    for (const [one, other] of pairs) this.#write(one, other);
    const allDelivered = () => pairs.every(([one, other]) => this.#friendOf(one, other)?.queued === 0);
    try {
      await this.#story.until("all to be delivered", allDelivered, RECOVERY_TIMEOUT);
    } catch (error) {
      this.#problem(String(error));
    }
    const deliveredAfter = universe.now - start;
    this.#tell(`online after ${onlineAfter}, delivered after ${deliveredAfter}`);
    await this.#story.pass(60_000);
    for (const [one, other] of pairs) {
      const wrong = one.laneTo(other).problems(this.#endOf(one), this.#endOf(other));
      for (const what of wrong) this.#problem(`${one.name}${other.name}: ${what}`);
    }
    for (const host of universe.hosts) {
      const { pending } = host.edges.clock;
      if (pending > MAX_TIMERS_AT_REST) this.#problem(`${host.name} has ${pending} timers at rest`);
    }
    for (const line of this.#logger.lines) {
      if (line.level === "error") this.#problem(`logged: ${line.message} ${JSON.stringify(line.fields)}`);
    }
    return { onlineAfter, deliveredAfter };
  }

  async #end(): Promise<void> {
    const { universe } = this.#story;
    const living = this.#people.flatMap(({ tox }) => tox ?? []);
    for (const { tox } of this.#story.people) if (!living.includes(tox)) tox.close(); // crashed: its store never answers
    await universe.wait(Promise.all([...living, ...this.#crowd.map(({ tox }) => tox)].map((tox) => tox.close())));
    for (const host of universe.hosts) {
      const { pending } = host.edges.clock;
      if (pending > 0) this.#problem(`${host.name} has ${pending} timers after close`);
      if (host.sockets.length > 0) this.#problem(`${host.name} has sockets after close`);
    }
    const before = universe.events;
    let packets = 0;
    await this.#story.pass(1_000); // what waits in a slow uplink is gone by then
    universe.network.addFilter(() => {
      packets++;
      return true;
    });
    await this.#story.pass(120_000);
    if (packets > 0) this.#problem(`${packets} packets leave after close`);
    this.#tell(`${universe.events - before} events after close`);
  }

  #endOf({ life, store }: Someone): LaneEnd {
    return { life, isDurable: store !== undefined, mayCrash: this.#counts.restarts };
  }

  #friendOf(one: Someone, other: Someone): Friend | undefined {
    const key = this.#publicKeyOf(other);
    return key === undefined ? undefined : one.tox?.friend(key);
  }

  #problem(what: string): undefined {
    this.#tell(`PROBLEM ${what}`);
    if (this.#problems.length < 20) this.#problems.push(what);
    return undefined;
  }

  #tell(what: string): void {
    this.#log(`${(this.#story.universe.now / 1000).toFixed(3)} ${what}`);
  }

  #sum(count: (lane: Lane) => number): number {
    let sum = 0;
    for (const one of this.#people) for (const lane of one.lanes.values()) sum += count(lane);
    return sum;
  }
}
