import { Crypto } from "../../../src/crypto/crypto.ts";
import { type KeyPair, type PublicKey, SECRET_KEY_SIZE } from "../../../src/crypto/keys.ts";
import { nobleProvider } from "../../../src/crypto/noble.ts";
import type { CryptoProvider } from "../../../src/crypto/provider.ts";
import type { Endpoint } from "../../../src/env/datagram.ts";
import { type Logger, silentLogger } from "../../../src/env/logger.ts";
import { memoryStore } from "../../../src/env/memory_store.ts";
import { MemoryMetrics } from "../../../src/env/metrics.ts";
import type { Store } from "../../../src/env/store.ts";
import { Friends } from "../../../src/friend/friends.ts";
import type {
  FinderFriend,
  FoundListener,
  FriendFinder,
  FriendLookup,
  FriendLookups,
  FriendRelays,
  FriendSession,
  FriendSessionListener,
  FriendSessions,
} from "../../../src/friend/ports.ts";
import { SeededRandom } from "../../../src/testing/seeded_random.ts";
import { Timeline } from "../../../src/testing/timeline.ts";
import { VirtualClock } from "../../../src/testing/virtual_clock.ts";
import { toHex } from "../../../src/util/bytes.ts";
import { FakePair, type FakeSession, type Link } from "./fake_session.ts";

/** Keys cost nothing here: nobody encrypts anything. */
const cheapProvider: CryptoProvider = {
  ...nobleProvider,
  publicKey(out, secretKey) {
    out.set(secretKey);
    out[31] = (out[31] ?? 0) & 0x7f;
  },
  sharedKey(out, publicKey, secretKey) {
    for (let i = 0; i < 32; i++) out[i] = (publicKey[i] ?? 0) ^ (secretKey[i] ?? 0);
    return publicKey.some((byte) => byte !== 0);
  },
};

/** Somebody whom sessions lead to: one of our instances, or a test's own peer. */
export interface Node {
  readonly publicKey: PublicKey;
  dhtPublicKey: PublicKey;
  alive: boolean;
  incoming(peer: PublicKey, dhtPublicKey: PublicKey): FriendSessionListener | undefined;
  onFriendRequest?: (sender: PublicKey, data: Uint8Array) => void;
}

export interface Person extends Node {
  readonly friends: Friends;
  readonly metrics: MemoryMetrics;
  readonly clock: VirtualClock;
  readonly finder: FakeFinder;
}

/** What net_crypto, the onion and the DHT do for friends, with a network that can be broken at any moment. */
export class World {
  readonly timeline = new Timeline();
  readonly random: SeededRandom;
  readonly link: Link = { minDelay: 1, maxDelay: 20, queueLimit: 64, controlAllowance: 2 };
  readonly nodes: Node[] = [];
  readonly pairs = new Set<FakePair>();
  /** How often somebody began a session. */
  opened = 0;
  /** Whether lookups know where anybody is. */
  addressesKnown = true;
  readonly #openings = new Set<Opening>();
  readonly #lookups: { readonly dhtPublicKey: PublicKey; readonly onEndpoint: (endpoint: Endpoint) => void }[] = [];
  readonly crypto: Crypto;
  readonly #logger: Logger;

  constructor(seed: number | string = 1, logger: Logger = silentLogger) {
    this.#logger = logger;
    this.random = new SeededRandom(seed);
    this.crypto = new Crypto(cheapProvider, this.random.fork("crypto"));
  }

  keys(name: string): KeyPair {
    const secretKey = new Uint8Array(SECRET_KEY_SIZE);
    this.random.fork(name).fill(secretKey);
    return this.crypto.keyPairOf(secretKey as Uint8Array as KeyPair["secretKey"]);
  }

  /** A new instance; the same name is the same person, with a new DHT key. */
  async person(
    name: string,
    store: Store = memoryStore(),
    nospam = 7,
    relays: FriendRelays | undefined = undefined,
  ): Promise<Person> {
    const keys = this.keys(name);
    const metrics = new MemoryMetrics();
    const clock = new VirtualClock(this.timeline, 1_700_000_000);
    const finder = new FakeFinder(this, keys.publicKey);
    const node = { publicKey: keys.publicKey, dhtPublicKey: this.crypto.keyPair().publicKey, alive: true };
    const friends = await Friends.create({
      ...{ clock, metrics, keys, store, nospam, finder, logger: this.#logger, crypto: this.crypto },
      sessions: this.sessionsOf(node),
      lookups: this.lookups,
      relays,
    });
    const person = Object.assign(node, {
      ...{ friends, metrics, clock, finder },
      incoming: (peer: PublicKey, dhtPublicKey: PublicKey) => friends.incoming(peer, dhtPublicKey),
      onFriendRequest: (sender: PublicKey, data: Uint8Array) => finder.requestHandler?.(sender, data),
    });
    this.add(person);
    return person;
  }

  /** Whoever had this key before is gone. */
  add(node: Node): void {
    for (const other of this.nodes) if (other !== node && same(other.publicKey, node.publicKey)) other.alive = false;
    this.nodes.push(node);
    this.announceAll();
  }

  /** Ends an instance, politely, or as a killed process does. */
  async stop(person: Person, how: "close" | "crash" = "close"): Promise<void> {
    person.alive = false;
    if (how === "close") await person.friends.close();
    person.clock.clear();
    for (const pair of this.pairs) pair.vanish(person.publicKey);
  }

  nodeOf(publicKey: Uint8Array): Node | undefined {
    return this.nodes.find((node) => node.alive && same(node.publicKey, publicKey));
  }

  /** Lets time pass, and what the app awaits happen in it. */
  async run(ms: number): Promise<void> {
    const end = this.timeline.now + ms;
    await turn();
    while (this.timeline.step(end)) await turn();
    this.timeline.advance(end);
  }

  /** Both add each other, and meet. */
  async befriend(a: Person, b: Person) {
    const friends = [a.friends.addWithoutRequest(b.publicKey), b.friends.addWithoutRequest(a.publicKey)] as const;
    await this.run(500);
    return friends;
  }

  after(ms: number, fn: () => void): void {
    this.timeline.schedule(this.timeline.now + ms, fn);
  }

  /** Everybody learns again who of his friends is there. */
  announceAll(): void {
    for (const node of this.nodes) if (node.alive && isPerson(node)) node.finder.announce();
  }

  /** Breaks all sessions: what is under way is lost. Each side learns it after a time of its own. */
  breakAll(learnAfter: () => number = () => 0): void {
    for (const pair of this.pairs) pair.breakUp(learnAfter);
  }

  /** The living session of a person who has one. */
  sessionOf(person: Person): FakeSession {
    for (const pair of this.pairs) {
      const end = pair.endOf(person.publicKey);
      if (end) return end;
    }
    throw new Error("no session");
  }

  sessionsOf(self: Pick<Node, "publicKey" | "dhtPublicKey" | "alive">): FriendSessions {
    return { connect: (peer, dhtPublicKey, listener) => this.#connect(self, peer, dhtPublicKey, listener) };
  }

  readonly lookups: FriendLookups = {
    lookUp: (dhtPublicKey, onEndpoint): FriendLookup => {
      const found = () => this.nodes.find((node) => node.alive && same(node.dhtPublicKey, dhtPublicKey));
      let stopped = false;
      this.#lookups.push({ dhtPublicKey, onEndpoint });
      this.after(2, () => {
        if (!stopped && this.addressesKnown && found()) onEndpoint(ENDPOINT);
      });
      return {
        suggest: () => {},
        seenAs: () => undefined,
        endpoints: () => (this.addressesKnown && found() ? [ENDPOINT] : []),
        doubt: () => {},
        stop: () => {
          stopped = true;
        },
      };
    },
  };

  /** Lookups find this address of a node. */
  find(node: Node, endpoint: Endpoint): void {
    for (const { dhtPublicKey, onEndpoint } of this.#lookups) {
      if (same(dhtPublicKey, node.dhtPublicKey)) onEndpoint(endpoint);
    }
  }

  #connect(
    self: Pick<Node, "publicKey" | "dhtPublicKey" | "alive">,
    peer: PublicKey,
    dhtPublicKey: PublicKey,
    listener: FriendSessionListener,
  ): FriendSession {
    const pair = new FakePair(this.timeline, this.random.fork(String(this.random.nextU32())), this.link, () =>
      this.pairs.delete(pair),
    );
    const session = pair.open(self.publicKey, listener);
    this.opened++;
    const opening = { pair, from: self.publicKey, to: peer };
    if (self.alive) this.#openings.add(opening); // what a dead process still does reaches nobody
    this.pairs.add(pair);
    this.after(this.random.between(this.link.minDelay, this.link.maxDelay) * 2, () => {
      this.#openings.delete(opening);
      if (pair.broken || !self.alive) return;
      const node = this.nodeOf(peer);
      const known = node && same(node.dhtPublicKey, dhtPublicKey) ? node : undefined;
      if (known === undefined || !this.#meet(opening, self, known)) this.after(8000, () => pair.fail());
    });
    return session;
  }

  /** Two who open at once get one session, as in net_crypto. */
  #meet(opening: Opening, self: Pick<Node, "publicKey" | "dhtPublicKey">, node: Node): boolean {
    const counter = [...this.#openings].find((one) => same(one.from, node.publicKey) && same(one.to, self.publicKey));
    if (counter && !counter.pair.broken) {
      counter.pair.join(self.publicKey, opening.pair);
      return true;
    }
    const listener = node.incoming(self.publicKey, self.dhtPublicKey);
    if (listener === undefined) return false;
    opening.pair.accept(node.publicKey, listener);
    return true;
  }
}

interface Opening {
  readonly pair: FakePair;
  readonly from: PublicKey;
  readonly to: PublicKey;
}

/** The onion: whoever is added on both sides finds the other; requests reach whoever is alive. */
export class FakeFinder implements FriendFinder {
  requestHandler: ((sender: PublicKey, data: Uint8Array) => void) | undefined;
  /** Friend requests that went out. */
  readonly requests: { readonly at: number; readonly data: Uint8Array }[] = [];
  readonly #world: World;
  readonly #self: PublicKey;
  readonly #friends = new Map<string, { key: PublicKey; listener: FoundListener; online: boolean }>();

  constructor(world: World, self: PublicKey) {
    this.#world = world;
    this.#self = self;
  }

  onFriendRequest(handler: (sender: PublicKey, data: Uint8Array) => void): void {
    this.requestHandler = handler;
  }

  addFriend(publicKey: PublicKey, listener: FoundListener): FinderFriend {
    const id = toHex(publicKey);
    const friend = { key: publicKey, listener, online: false };
    this.#friends.set(id, friend);
    this.#world.after(3, () => this.#world.announceAll());
    return {
      setDhtPublicKey: () => {},
      setOnline: (online) => {
        friend.online = online;
        if (!online) this.#world.after(200, () => this.#world.announceAll());
      },
      sendFriendRequest: (data) => this.#sendRequest(publicKey, data),
      remove: () => {
        if (this.#friends.get(id) === friend) this.#friends.delete(id);
      },
    };
  }

  knows(publicKey: Uint8Array): boolean {
    return this.#friends.has(toHex(publicKey));
  }

  announce(): void {
    for (const { key, listener, online } of [...this.#friends.values()]) {
      const node = this.#world.nodeOf(key);
      if (online || node === undefined) continue;
      listener.onReachable?.();
      if (!isPerson(node) || node.finder.knows(this.#self)) listener.onDhtPublicKey(node.dhtPublicKey, []);
    }
  }

  #sendRequest(to: PublicKey, data: Uint8Array): number {
    if (!this.#world.nodeOf(to)) return 0;
    this.requests.push({ at: this.#world.timeline.now, data: data.slice() });
    this.#world.after(10, () => this.#world.nodeOf(to)?.onFriendRequest?.(this.#self, data));
    return 8;
  }
}

const ENDPOINT: Endpoint = { family: 4, address: Uint8Array.of(10, 0, 0, 1), port: 33445 };

function isPerson(node: Node): node is Person {
  return "finder" in node;
}

export function same(a: Uint8Array, b: Uint8Array): boolean {
  return toHex(a) === toHex(b);
}

/** Lets promises settle. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The code of what the action throws. */
export function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return undefined;
}
