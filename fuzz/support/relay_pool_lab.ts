import type { KeyPair, PublicKey } from "../../src/crypto/keys.ts";
import type { StreamSocket } from "../../src/env/stream.ts";
import type { PeerPath, RelayRoute } from "../../src/relay/relay_route.ts";
import type { SecureStream } from "../../src/relay/secure_stream.ts";
import { isLanAddress, parseAddress } from "../../src/util/endpoint.ts";
import { Person, PoolWorld, place, type Somewhere } from "../../test/unit/relay/pool_world.ts";
import { expectThat } from "./broken.ts";
import { Census } from "./census.ts";
import { computed } from "./unhurried.ts";

const MAX_CONNECTIONS = 32;
/** To one relay: until retries are minutes apart, and that again for each minute, if connections last so long. */
const FREE_ATTEMPTS = 9;
const ATTEMPTS_PER_MINUTE = 9;
/** A route tells of a way so often at once, and twice in so many ms. */
const COMINGS = 10;
const COMING_MS = 2_000;

const census = new Census({ "#relays.#relays.#entries": 128, "#routes.#entries": 4 });

/** A route, and what it told: in order, or something is wrong. */
export class Watched {
  readonly route: RelayRoute;
  readonly paths = new Set<PeerPath>();
  told = 0;
  /** Stops the route at the next way that it tells of. */
  stopsNext = false;
  stopped = false;

  constructor(person: Person, peer: PublicKey) {
    const self = this;
    let early = false;
    const route = person.pool.routeTo(peer, {
      onPath(path) {
        expectThat(!self.stopped, "a stopped route tells of a way");
        self.paths.add(path);
        self.told++;
        if (!self.stopsNext) return;
        self.stopped = true;
        if (self.route === undefined) early = true;
        else self.route.stop();
      },
      onLost(path) {
        expectThat(!self.stopped, "a stopped route tells of a loss");
        self.paths.delete(path);
      },
    });
    this.route = route;
    if (early) this.stop();
  }

  stop(): void {
    this.stopped = true;
    this.route.stop();
  }
}

/** Somebody whose relays lie, and whose friends name places that they should not. */
export class RelayPoolLab {
  readonly world = new PoolWorld();
  readonly victim = new Person(this.world);
  readonly peers: readonly KeyPair[] = Array.from({ length: 4 }, () => this.world.crypto.keyPair());
  /** Run by the enemy; the first two are named by the app. */
  readonly relays: Somewhere[] = [];
  readonly routes: Watched[] = [];
  /** Open connections of the victim to the enemy's relays, the latest last. */
  streams: SecureStream[] = [];
  /** What becomes of a connection to the enemy. */
  mood: "serve" | "hang-up" | "garbage" = "serve";
  slowest = 0;
  readonly #startedAt = this.world.timeline.now;
  /** How often anybody has named a relay, or no longer needed one: reasons to connect to it again. */
  named = 0;

  async start(): Promise<void> {
    for (const i of [1, 2, 3, 4, 5]) {
      const relay = this.world.deadRelayAt(`203.0.${i}.1`);
      this.relays.push(relay);
      await relay.rogue(
        (stream) => this.#serve(stream),
        () => undefined,
        (socket) => this.#receive(socket),
      );
    }
    for (const relay of this.relays.slice(0, 2)) this.give(relay);
  }

  give(relay: Somewhere): void {
    this.named++;
    this.victim.pool.addRelay(relay.target);
  }

  reach(peer: KeyPair): void {
    this.routes.push(new Watched(this.victim, peer.publicKey));
  }

  /** A friend, or somebody in his name, says that he is at a relay. */
  suggest(to: Watched, relay: Somewhere, endpoint = relay.endpoint): void {
    this.named++;
    to.route.suggest([{ publicKey: relay.keys.publicKey, endpoint, transport: "tcp" }]);
  }

  async pass(ms: number): Promise<void> {
    const start = computed();
    await this.world.run(ms);
    this.slowest = Math.max(this.slowest, (computed() - start) / 20);
    this.#check();
  }

  async close(isThorough: boolean): Promise<void> {
    await this.pass(1000);
    if (isThorough) census.check(this.victim.pool);
    for (const route of this.routes) route.stop();
    this.victim.pool.close();
    for (const stream of this.streams) stream.close();
    await this.world.run(1000);
    expectThat(this.world.clock.pending === 0, () => `${this.world.clock.pending} timers are left after the end`);
  }

  /** False when the connection is not to be answered. */
  #receive(socket: StreamSocket): boolean {
    if (this.mood === "serve") return true;
    if (this.mood === "garbage") socket.write(new Uint8Array(96).fill(7));
    else socket.close();
    return false;
  }

  #serve(stream: SecureStream): void {
    this.streams.push(stream);
    if (this.streams.length > 64) this.streams = this.streams.slice(-64);
  }

  #check(): void {
    const { attempts, pool } = this.victim;
    const minutes = (this.world.timeline.now - this.#startedAt) / 60_000;
    const most = FREE_ATTEMPTS + ATTEMPTS_PER_MINUTE * minutes + this.named;
    const counts = new Map<string, number>();
    for (const address of attempts) {
      const count = (counts.get(address) ?? 0) + 1;
      counts.set(address, count);
      expectThat(count <= most, () => `${count} connections to ${address} in ${minutes} minutes`);
      const host = parseAddress(address.slice(0, address.lastIndexOf(":")));
      expectThat(host === undefined || !isLanAddress(host), () => `a stranger makes us connect to ${address}`);
    }
    expectThat(pool.hops().length <= MAX_CONNECTIONS, "too many relays are connected");
    expectThat(pool.toShare(3).length <= 3, "too many relays are told");
    const ms = this.world.timeline.now - this.#startedAt;
    for (const { told, paths } of this.routes) {
      expectThat(paths.size <= this.relays.length, "ways are told that are gone");
      const bound = (attempts.length + 1) * COMINGS + this.named + (2 * this.relays.length * ms) / COMING_MS;
      expectThat(told <= bound, () => `a way is told of ${told} times`);
    }
  }
}

export { place };
