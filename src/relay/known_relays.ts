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
   * for it; undefined when nobody else can be.
   */
  add(target: RelayTarget, given: boolean, isUsed: (relay: PooledRelay) => boolean): PooledRelay | undefined {
    const known = this.#relays.get(target.publicKey);
    if (known !== undefined) {
      if (given && !known.given) known.addresses.length = 0;
      known.given ||= given;
      if (given === known.given) addAddress(known, target.address);
      return known;
    }
    if (given && this.#givenCount() >= MAX_GIVEN) return undefined;
    if (this.#relays.size >= MAX_KNOWN && !this.#forgetOne(isUsed)) return undefined;
    return this.#put(target, given, undefined);
  }

  /** Our own server. */
  addOurs(target: RelayTarget, told: Endpoint): PooledRelay {
    return this.#put(target, true, told);
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
    this.ended(relay, now);
    const first = relay.addresses.shift();
    if (first !== undefined) relay.addresses.push(first);
    const isAlone = relay.given && ![...this.#relays.values()].some(isReady);
    const longest = isAlone ? LONGEST_RETRY_ALONE : LONGEST_RETRY;
    const pause = Math.min(longest, FIRST_RETRY * 2 ** Math.min(relay.failures++, 16));
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

  #put({ publicKey, address }: RelayTarget, given: boolean, ourServer: Endpoint | undefined): PooledRelay {
    const relay: PooledRelay = {
      publicKey: publicKey.slice() as Uint8Array as PublicKey,
      addresses: [address],
      ...{ given, ourServer },
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

  #givenCount(): number {
    let count = 0;
    for (const { given } of this.#relays.values()) if (given) count++;
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

function addAddress({ addresses }: PooledRelay, address: StreamTarget): void {
  if (addresses.length < MAX_ADDRESSES && !addresses.some((known) => sameTarget(known, address))) {
    addresses.push(address);
  }
}

function sameTarget(a: StreamTarget, b: StreamTarget): boolean {
  if ("family" in a) return "family" in b && sameEndpoint(a, b);
  return "host" in b && a.host === b.host && a.port === b.port;
}
