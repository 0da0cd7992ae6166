import type { DatagramSocket, Endpoint } from "../env/datagram.ts";
import { sameEndpoint } from "../util/endpoint.ts";
import { MAX_PATHS, PATH_SILENT_AFTER } from "./limits.ts";
import type { RelayPath } from "./ports.ts";

/** Where a packet came in. */
export type Arrived = { readonly endpoint: Endpoint; readonly socket: DatagramSocket } | { readonly relay: RelayPath };

/** One way to the peer: an address that we send to from one of our sockets, or a relay. */
export interface Path {
  readonly endpoint: Endpoint | undefined;
  /** The socket that packets of this path came in by; undefined leaves the choice to the network. */
  socket: DatagramSocket | undefined;
  readonly relay: RelayPath | undefined;
  readonly addedAt: number;
  /** When an authentic packet last came this way. */
  receivedAt: number;
  /** Opening packets sent this way, when the last one went and when the next one is due. */
  tries: number;
  triedAt: number;
  nextTryAt: number;
  /** Whether the peer is there: it sent a cookie or a handshake this way. */
  answered: boolean;
}

/** Told of the endpoints whose packets are for this session. */
export interface Binding {
  bind(endpoint: Endpoint): void;
  unbind(endpoint: Endpoint): void;
}

/** All ways to one peer, of which one is in use. */
export class Paths {
  readonly #binding: Binding;
  readonly #paths: Path[] = []; // bounded by MAX_PATHS
  #active: Path | undefined;

  constructor(binding: Binding) {
    this.#binding = binding;
  }

  get all(): readonly Path[] {
    return this.#paths;
  }

  /** The path that packets go out by. */
  get active(): Path | undefined {
    return this.#active;
  }

  find(arrived: Arrived): Path | undefined {
    return "relay" in arrived ? this.findRelay(arrived.relay) : this.findEndpoint(arrived.endpoint);
  }

  findEndpoint(endpoint: Endpoint): Path | undefined {
    for (const path of this.#paths) {
      if (path.endpoint !== undefined && sameEndpoint(path.endpoint, endpoint)) return path;
    }
    return undefined;
  }

  findRelay(relay: RelayPath): Path | undefined {
    return this.#paths.find((path) => path.relay === relay);
  }

  add(arrived: Arrived, now: number): Path {
    return "relay" in arrived
      ? this.addRelay(arrived.relay, now)
      : this.addEndpoint(arrived.endpoint, arrived.socket, now);
  }

  /** A full set gives up the path, other than the one in use, that was heard of longest ago. */
  addEndpoint(endpoint: Endpoint, socket: DatagramSocket | undefined, now: number): Path {
    this.#makeRoom();
    this.#binding.bind(endpoint);
    return this.#add(newPath(endpoint, socket, undefined, now));
  }

  addRelay(relay: RelayPath, now: number): Path {
    this.#makeRoom();
    return this.#add(newPath(undefined, undefined, relay, now));
  }

  remove(path: Path): void {
    const at = this.#paths.indexOf(path);
    if (at < 0) return;
    this.#paths.splice(at, 1);
    if (path.endpoint !== undefined) this.#binding.unbind(path.endpoint);
    if (path === this.#active) this.#active = this.#heardLast();
  }

  use(path: Path): void {
    this.#active = path;
  }

  /** Whether another path would be better than the one in use, if it worked. */
  wantsBetter(now: number): boolean {
    return this.#active?.relay !== undefined || this.#isSilent(now);
  }

  /** Paths to try beside the one in use. While a relay serves well, only addresses are better than it. */
  worthTrying(now: number): readonly Path[] {
    const isSilent = this.#isSilent(now);
    return this.#paths.filter((path) => path !== this.#active && (isSilent || path.relay === undefined));
  }

  /** When the path in use falls silent unless something is heard; infinity when there is no other. */
  get silentAt(): number {
    if (this.#active === undefined || this.#paths.length < 2) return Number.POSITIVE_INFINITY;
    return this.#active.receivedAt + PATH_SILENT_AFTER;
  }

  /** An authentic packet came by `path`. Answers whether that is the path in use from now on, and was not before. */
  received(path: Path, now: number): boolean {
    path.receivedAt = now;
    if (path === this.#active) return false;
    const better = this.#active?.relay !== undefined && path.relay === undefined;
    if (!better && !this.#isSilent(now)) return false;
    this.#active = path;
    return true;
  }

  clear(): void {
    for (const path of this.#paths) if (path.endpoint !== undefined) this.#binding.unbind(path.endpoint);
    this.#paths.length = 0;
    this.#active = undefined;
  }

  #isSilent(now: number): boolean {
    // As `silentAt` counts it: with fractions the other way round, a timer could find itself early, for ever.
    return this.#active === undefined || now >= this.#active.receivedAt + PATH_SILENT_AFTER;
  }

  #add(path: Path): Path {
    this.#paths.push(path);
    return path;
  }

  /** The one that has shown last that it works; where none has, the newest. */
  #heardLast(): Path | undefined {
    return this.#paths.reduce<Path | undefined>((best, path) => {
      const isBetter = best === undefined || path.receivedAt > best.receivedAt;
      return isBetter || (path.receivedAt === best.receivedAt && path.addedAt > best.addedAt) ? path : best;
    }, undefined);
  }

  #makeRoom(): void {
    if (this.#paths.length < MAX_PATHS) return;
    const surplus = this.#extreme((sign, worst) => sign < worst, this.#active);
    if (surplus !== undefined) this.remove(surplus);
  }

  #extreme(isMore: (sign: number, than: number) => boolean, except?: Path): Path | undefined {
    let found: Path | undefined;
    for (const path of this.#paths) {
      if (path === except) continue;
      if (found === undefined || isMore(lastSign(path), lastSign(found))) found = path;
    }
    return found;
  }
}

const lastSign = (path: Path): number => Math.max(path.receivedAt, path.addedAt);

function newPath(
  endpoint: Endpoint | undefined,
  socket: DatagramSocket | undefined,
  relay: RelayPath | undefined,
  now: number,
): Path {
  return {
    endpoint,
    socket,
    relay,
    addedAt: now,
    receivedAt: Number.NEGATIVE_INFINITY,
    tries: 0,
    triedAt: now,
    nextTryAt: now,
    answered: false,
  };
}
