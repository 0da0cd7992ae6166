import type { PublicKey } from "../crypto/keys.ts";
import type { Endpoint } from "../env/datagram.ts";
import type { RelayPath } from "../net_crypto/ports.ts";
import { sameBytes } from "../util/bytes.ts";
import { isLoopback } from "../util/endpoint.ts";
import { TokenBucket } from "../util/token_bucket.ts";
import { encodeShareRelays, MAX_SHARED_RELAYS } from "../wire/friend/share_relays.ts";
import type { PackedNode } from "../wire/packed_node.ts";
import type { FriendContext } from "./context.ts";
import type { FriendRoute } from "./ports.ts";

/** Our relays are told again so often. toxcore's SHARE_RELAYS_INTERVAL. */
const SHARE_RELAYS_MS = 120_000;
/** He may name relays so often at once, and once in so many ms; each time we may say something to him over them. */
const NAMINGS = 8;
const NAMING_MS = 2_000;
/** So many new ones: each may cost us a connection to wherever he likes. toxcore's friends name three in 120 s. */
const NEW_RELAYS = 24;
const NEW_RELAY_MS = 10_000;

/** What is asked of the rest of a friend's connection. */
export interface RelaySideHost {
  /** Where the session's packets come from; undefined without one, or over a relay. */
  sessionEndpoint(): Endpoint | undefined;
  /** Where the DHT says that he is. */
  foundEndpoint(): Endpoint | undefined;
  onPath(path: RelayPath): void;
  onLost(path: RelayPath): void;
}

/** A friend over TCP relays: those that he names, the ways to him, and ours as he is told them. */
export class RelaySide {
  readonly #context: FriendContext;
  readonly #host: RelaySideHost;
  readonly #paths = new Set<RelayPath>(); // bounded by the relays that we are connected to
  readonly #namings = new TokenBucket(NAMINGS, NAMING_MS);
  readonly #newRelays = new TokenBucket(NEW_RELAYS, NEW_RELAY_MS);
  #dhtKey: PublicKey | undefined;
  #route: FriendRoute | undefined;
  /** He serves as a relay on this port, wherever he is. */
  #hisPort: number | undefined;
  #sharedAt = Number.NEGATIVE_INFINITY;

  constructor(context: FriendContext, host: RelaySideHost) {
    this.#context = context;
    this.#host = host;
  }

  get paths(): ReadonlySet<RelayPath> {
    return this.#paths;
  }

  /** Looks for ways to this DHT key, at the relays among the nodes first. */
  lookFor(key: PublicKey, nodes: readonly PackedNode[]): void {
    this.stop();
    this.#dhtKey = key;
    const route = this.#context.relays?.routeTo(key, {
      onPath: (path) => {
        if (this.#dhtKey !== key) return;
        this.#paths.add(path);
        this.#host.onPath(path);
      },
      onLost: (path) => {
        if (this.#paths.delete(path)) this.#host.onLost(path);
      },
    });
    if (this.#dhtKey === key) {
      this.#route = route;
      this.suggest(nodes);
    } else {
      route?.stop(); // by a listener's doing
    }
  }

  /** Nodes that he names, or somebody for him. */
  suggest(nodes: readonly PackedNode[]): void {
    const named = nodes.filter((node) => node.transport === "tcp");
    if (named.length === 0 || this.#route === undefined) return;
    const { clock, drop } = this.#context;
    if (!this.#namings.take(clock.monotonic())) {
      drop("rate-limited");
      return;
    }
    const from = this.#host.sessionEndpoint();
    const mayTakeNew = () => this.#newRelays.take(clock.monotonic());
    this.#route.suggest(
      named.map((node) => this.#reachable(node)),
      { from, mayTakeNew },
    );
  }

  /** He is found at this address. */
  found(endpoint: Endpoint): void {
    const port = this.#hisPort;
    this.#hisPort = undefined;
    if (port === undefined || this.#dhtKey === undefined) return;
    this.suggest([{ publicKey: this.#dhtKey, endpoint: { ...endpoint, port }, transport: "tcp" }]);
  }

  /** Whether he is reached without relays. */
  set direct(isDirect: boolean) {
    if (this.#route) this.#route.direct = isDirect;
  }

  /** A new session: our relays are told in it at once. */
  begin(): void {
    this.#sharedAt = Number.NEGATIVE_INFINITY;
  }

  /** Tells our relays when it is time. */
  share(now: number, send: (packet: Uint8Array) => boolean): void {
    if (now < this.#sharedAt + SHARE_RELAYS_MS) return;
    const relays = this.#context.relays?.toShare(MAX_SHARED_RELAYS, this.#host.sessionEndpoint()) ?? [];
    if (relays.length > 0 && send(encodeShareRelays(relays))) this.#sharedAt = now;
  }

  stop(): void {
    this.#dhtKey = undefined;
    this.#hisPort = undefined;
    this.#route?.stop();
    this.#route = undefined;
    const paths = [...this.#paths];
    this.#paths.clear();
    for (const path of paths) this.#host.onLost(path);
  }

  /** Who serves as a relay himself names it by a loopback address, as toxcore does: it is where he is, once that is known. */
  #reachable(relay: PackedNode): PackedNode {
    const own = this.#dhtKey !== undefined && sameBytes(relay.publicKey, this.#dhtKey);
    if (!own || !isLoopback(relay.endpoint.address)) return relay;
    const at = this.#host.sessionEndpoint() ?? this.#host.foundEndpoint();
    const { port } = relay.endpoint;
    this.#hisPort = at === undefined ? port : undefined;
    return at === undefined ? relay : { ...relay, endpoint: { ...at, port } };
  }
}
