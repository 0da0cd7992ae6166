import type { PublicKey } from "../crypto/keys.ts";
import type { Endpoint } from "../env/datagram.ts";
import type { Random } from "../env/random.ts";
import type { StreamTarget } from "../env/stream.ts";
import { sameEndpoint } from "../util/endpoint.ts";
import { KeyMap } from "../util/key_map.ts";
import { randomBelow, randomU32 } from "../util/random_numbers.ts";
import { isReady, type PooledRelay } from "./pooled_relay.ts";
import type { RelayTarget } from "./relay_client.ts";
import { scopeOf, WORLD } from "./told_relays.ts";

const MAX_KNOWN = 128;
/** Nodes that may be relays leave room for relays that are some. */
const MAX_NODES = 64;
/** More that the app names are not taken, so that there is room for friends'. */
const MAX_GIVEN = 96;
/** A relay listens on several ports, in both families. */
const MAX_ADDRESSES = 8;
/** In ms; somewhat more at random, so that the clients of a relay that starts anew do not all come at once. */
const FIRST_RETRY = 1_000;
const LONGEST_RETRY = 150_000;
/** The same for relays that the app named while none at all is connected: it may be our own network that was gone. */
const LONGEST_RETRY_ALONE = 15_000;
/** Who hangs up sooner than so many ms after the handshake has not served us. */
const LASTING = 60_000;

/** Who told us of a relay: the app, the app by naming a node that may be a relay as well, or a friend. */
export type RelaySource = "app" | "node" | "friend";

/** The relays that an instance knows: where they are, and when each may be tried again. */
export class KnownRelays {
  readonly #random: Random;
  readonly #relays: KeyMap<PooledRelay>; // bounded by MAX_KNOWN

  constructor(random: Random) {
    this.#random = random;
    this.#relays = new KeyMap(randomU32(random));
  }

  get(publicKey: Uint8Array): PooledRelay | undefined {
    return this.#relays.get(publicKey);
  }

  values(): Iterable<PooledRelay> {
    return this.#relays.values();
  }

  connectionCount(): number {
    let count = 0;
    for (const relay of this.#relays.values()) if (relay.client !== undefined) count++;
    return count;
  }

  /**
   * Notes where a relay is. What friends say does not change where the app says that it is. `isUsed`: whom not to forget
   * for it; undefined when nobody else can be. `isUrgent`: another address is not tried before this one.
   */
  add(
    target: RelayTarget,
    source: RelaySource,
    isUsed: (relay: PooledRelay) => boolean,
    isUrgent = false,
  ): PooledRelay | undefined {
    const given = source !== "friend";
    const isNode = source === "node";
    const known = this.#relays.get(target.publicKey);
    if (known !== undefined) {
      if (given && !known.given) known.addresses.length = 0;
      known.given ||= given;
      if (!given && !known.given) this.#putFirst(known, target.address);
      else if (given === known.given) addAddress(known, target.address, source === "app" && (known.isNode || isUrgent));
      if (source === "app") known.isNode = false;
      return known;
    }
    if (given && this.#count((relay) => relay.given) >= MAX_GIVEN) return undefined;
    if (isNode && this.#count((relay) => relay.isNode) >= MAX_NODES) return undefined;
    if (this.#relays.size >= MAX_KNOWN && !this.#forgetOne(isUsed)) return undefined;
    return this.#put(target, { given, isNode, ourServer: undefined });
  }

  /** Whether the relay is known to be there. */
  isAt(relay: PooledRelay, address: StreamTarget): boolean {
    return relay.addresses.some((known) => sameTarget(known, address));
  }

  /** Our own server. */
  addOurs(target: RelayTarget, told: Endpoint): PooledRelay {
    return this.#put(target, { given: true, isNode: false, ourServer: told });
  }

  /** How far away our relays are: only who is in a small network names relays there, or whom the app gave such ones alone. */
  scope(): number {
    let scope: number | undefined;
    for (const { given, ourServer, addresses } of this.#relays.values()) {
      if (!given || ourServer !== undefined) continue;
      for (const address of addresses) scope = Math.min(scope ?? Number.POSITIVE_INFINITY, scopeOf(address));
    }
    return scope ?? WORLD;
  }

  /** The connection is over, by the relay's doing or after a failure: says when to try again, and where. */
  failed(relay: PooledRelay, now: number): void {
    if (relay.readyAt === undefined) relay.addresses.push(...relay.addresses.splice(0, 1));
    this.ended(relay, now);
    const isAlone = relay.given && ![...this.#relays.values()].some(isReady);
    const longest = isAlone ? LONGEST_RETRY_ALONE : LONGEST_RETRY;
    const rounds = Math.floor(relay.failures++ / relay.addresses.length);
    const pause = Math.min(longest, FIRST_RETRY * 2 ** Math.min(rounds, 16));
    relay.retryAt = now + pause + randomBelow(this.#random, pause);
  }

  /** The connection is over. Only one that has lasted makes up for those that failed. */
  ended(relay: PooledRelay, now: number): void {
    if (relay.readyAt !== undefined && now - relay.readyAt >= LASTING) relay.failures = 0;
    relay.readyAt = undefined;
    relay.client = undefined;
    relay.paths.clear();
  }

  clear(): void {
    this.#relays.clear();
  }

  #put({ publicKey, address }: RelayTarget, kind: Pick<PooledRelay, "given" | "isNode" | "ourServer">): PooledRelay {
    const relay: PooledRelay = {
      publicKey: publicKey.slice() as Uint8Array as PublicKey,
      addresses: [address],
      ...kind,
      client: undefined,
      paths: new KeyMap(randomU32(this.#random)),
      arriving: undefined,
      own: false,
      readyAt: undefined,
      failures: 0,
      retryAt: 0,
    };
    this.#relays.set(publicKey, relay);
    return relay;
  }

  /** What a friend says is tried before what others, or he, said earlier: of that the oldest failure gives way. */
  #putFirst(relay: PooledRelay, address: StreamTarget): void {
    const { addresses } = relay;
    if (addresses.some((known) => sameTarget(known, address))) return;
    if (addresses.length >= MAX_ADDRESSES) addresses.pop();
    addresses.splice(relay.client === undefined ? 0 : 1, 0, address);
    relay.retryAt = 0;
  }

  #count(counts: (relay: PooledRelay) => boolean): number {
    let count = 0;
    for (const relay of this.#relays.values()) if (counts(relay)) count++;
    return count;
  }

  /** Makes room: one that a friend told us, and that nobody uses. */
  #forgetOne(isUsed: (relay: PooledRelay) => boolean): boolean {
    for (const relay of this.#relays.values()) {
      if (relay.given || relay.client !== undefined || isUsed(relay)) continue;
      return this.#relays.delete(relay.publicKey);
    }
    return false;
  }
}

/** What the app names as a relay's address is tried before one that it named as a node's. */
function addAddress({ addresses, client }: PooledRelay, address: StreamTarget, isRelays: boolean): void {
  if (addresses.length >= MAX_ADDRESSES || addresses.some((known) => sameTarget(known, address))) return;
  if (isRelays && client === undefined) addresses.unshift(address);
  else addresses.push(address);
}

function sameTarget(a: StreamTarget, b: StreamTarget): boolean {
  if ("family" in a) return "family" in b && sameEndpoint(a, b);
  return "host" in b && a.host === b.host && a.port === b.port;
}
