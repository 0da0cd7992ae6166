import type { PublicKey } from "../crypto/keys.ts";
import type { Random } from "../env/random.ts";
import { KeyMap } from "../util/key_map.ts";
import { randomU32 } from "../util/random_numbers.ts";
import { FIRST_CONNECTION_ID, MAX_ROUTES } from "../wire/tcp/packets.ts";

/** What a client knows of its link to one peer over the relay. */
export interface Route {
  readonly peer: PublicKey;
  /** The relay's name for it, 16–255; undefined until it has answered. */
  id: number | undefined;
  /** A routing request is on its way. */
  asked: boolean;
  /** The peer is at the relay, and wants us as well. */
  online: boolean;
  /** False: dropped while it was asked for; it goes when the answer has come. */
  wanted: boolean;
}

/** A client's routes, by peer and by id: 240 at most, for the relay has no more ids. */
export class RouteTable {
  readonly #byPeer: KeyMap<Route>;
  readonly #byId = new Map<number, Route>(); // bounded by MAX_ROUTES

  constructor(random: Random) {
    this.#byPeer = new KeyMap(randomU32(random));
  }

  get wanted(): number {
    let count = 0;
    for (const route of this.#byPeer.values()) if (route.wanted) count++;
    return count;
  }

  all(): Route[] {
    return [...this.#byPeer.values()];
  }

  get(peer: Uint8Array): Route | undefined {
    return this.#byPeer.get(peer);
  }

  byId(id: number): Route | undefined {
    return this.#byId.get(id);
  }

  /** A new route, or nothing when all are taken. */
  add(peer: PublicKey): Route | undefined {
    if (this.#byPeer.size >= MAX_ROUTES) return undefined;
    const route: Route = {
      peer: peer.slice() as PublicKey,
      id: undefined,
      asked: false,
      online: false,
      wanted: true,
    };
    this.#byPeer.set(peer, route);
    return route;
  }

  /** Notes the relay's id. False when it is none, or belongs to another route. */
  assign(route: Route, id: number): boolean {
    if (id < FIRST_CONNECTION_ID || this.#byId.has(id)) return false;
    route.id = id;
    this.#byId.set(id, route);
    return true;
  }

  delete(route: Route): void {
    this.#byPeer.delete(route.peer);
    if (route.id !== undefined) this.#byId.delete(route.id);
  }

  clear(): void {
    this.#byPeer.clear();
    this.#byId.clear();
  }
}
