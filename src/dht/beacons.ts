import type { PublicKey } from "../crypto/keys.ts";
import type { Cancel, Clock } from "../env/clock.ts";
import type { Endpoint } from "../env/datagram.ts";
import { sameBytes } from "../util/bytes.ts";
import { sameEndpoint } from "../util/endpoint.ts";

interface Beacon {
  readonly publicKey: PublicKey;
  endpoint: Endpoint;
  /** Named by the app: never forgotten. */
  readonly isBootstrap: boolean;
  /** Times it was asked since it last answered. */
  unanswered: number;
}

/** Bootstrap nodes that the app names; beyond, the oldest goes. */
const MAX_BOOTSTRAP_NODES = 64;
/** Nodes we once knew. */
const MAX_REMEMBERED = 32;
/** So many in vain, an hour's worth for 32 of them, and a remembered node is forgotten. */
const MAX_UNANSWERED = 3;
/** Not connected: everybody is asked again after 0.5 s, 1 s, … up to every 4 s. */
const FIRST_RETRY = 500;
const LAST_RETRY = 4_000;
/** A bootstrap node just named is asked so often even when we are connected: one packet may get lost. */
const FIRST_ATTEMPTS = 3;
/** Connected: one of those that we do not hear from, this often. A network that was split finds together by this. */
const CONNECTED_INTERVAL = 60_000;

export interface BeaconsPort {
  isConnected(): boolean;
  /** Whether the node is in our lists and answers. */
  isHeard(publicKey: PublicKey): boolean;
  ask(publicKey: PublicKey, endpoint: Endpoint): void;
}

/** Nodes to come back to when nobody else is there: bootstrap nodes, and nodes that have left our lists by silence. */
export class Beacons {
  readonly #clock: Clock;
  readonly #port: BeaconsPort;
  readonly #beacons: Beacon[] = []; // bounded by MAX_BOOTSTRAP_NODES + MAX_REMEMBERED
  #timer: Cancel | undefined;
  #retries = 0;
  #turn = 0;

  constructor(clock: Clock, port: BeaconsPort) {
    this.#clock = clock;
    this.#port = port;
  }

  /** A node that the app names: asked at once. */
  add(publicKey: PublicKey, endpoint: Endpoint): void {
    this.#store({ publicKey: publicKey.slice() as PublicKey, endpoint, isBootstrap: true, unanswered: 1 });
    this.#port.ask(publicKey, endpoint);
    this.#retries = 0;
    this.#arm();
  }

  /** A node that was in our lists and has fallen silent. */
  remember(publicKey: PublicKey, endpoint: Endpoint): void {
    if (this.#beacons.some((known) => sameBytes(known.publicKey, publicKey))) return;
    this.#store({ publicKey, endpoint, isBootstrap: false, unanswered: 0 });
    if (this.#timer === undefined) this.#arm();
  }

  /** True when it was one of ours, and silent before. */
  answered(publicKey: Uint8Array): boolean {
    const at = this.#beacons.findIndex((known) => sameBytes(known.publicKey, publicKey));
    const beacon = this.#beacons[at];
    if (beacon === undefined) return false;
    const wasSilent = beacon.unanswered > 0;
    beacon.unanswered = 0;
    if (!beacon.isBootstrap) this.#beacons.splice(at, 1);
    return wasSilent;
  }

  /** Connected or not has changed. */
  restart(): void {
    this.#retries = 0;
    this.#arm();
  }

  stop(): void {
    this.#timer?.();
    this.#timer = undefined;
    this.#beacons.length = 0;
  }

  #store(beacon: Beacon): void {
    const same = this.#beacons.findIndex(
      (known) =>
        sameBytes(known.publicKey, beacon.publicKey) &&
        (!known.isBootstrap || sameEndpoint(known.endpoint, beacon.endpoint)),
    );
    if (same >= 0) this.#beacons.splice(same, 1);
    const limit = beacon.isBootstrap ? MAX_BOOTSTRAP_NODES : MAX_REMEMBERED;
    const ofKind = this.#beacons.filter((known) => known.isBootstrap === beacon.isBootstrap);
    if (ofKind.length >= limit) this.#beacons.splice(this.#beacons.indexOf(ofKind[0] as Beacon), 1);
    this.#beacons.push(beacon);
  }

  #arm(): void {
    this.#timer?.();
    this.#timer = undefined;
    if (this.#beacons.length === 0) return;
    const isUrgent = !this.#port.isConnected() || this.#beacons.some(isNew);
    const wait = isUrgent ? Math.min(FIRST_RETRY * 2 ** this.#retries, LAST_RETRY) : CONNECTED_INTERVAL;
    this.#timer = this.#clock.at(this.#clock.monotonic() + wait, () => {
      this.#timer = undefined;
      this.#round();
      this.#arm();
    });
  }

  #round(): void {
    this.#retries++;
    if (!this.#port.isConnected()) {
      for (const beacon of [...this.#beacons]) this.#ask(beacon);
      return;
    }
    const fresh = this.#beacons.filter(isNew);
    for (const beacon of fresh) this.#ask(beacon);
    if (fresh.length > 0) return;
    for (let step = 0; step < this.#beacons.length; step++) {
      this.#turn = (this.#turn + 1) % this.#beacons.length;
      const beacon = this.#beacons[this.#turn];
      if (beacon === undefined || this.#port.isHeard(beacon.publicKey)) continue;
      this.#ask(beacon);
      return;
    }
  }

  #ask(beacon: Beacon): void {
    beacon.unanswered++;
    if (!beacon.isBootstrap && this.#port.isConnected() && beacon.unanswered > MAX_UNANSWERED) {
      this.#beacons.splice(this.#beacons.indexOf(beacon), 1);
      return;
    }
    this.#port.ask(beacon.publicKey, beacon.endpoint);
  }
}

/** Just named by the app, and not heard yet. */
function isNew(beacon: Beacon): boolean {
  return beacon.isBootstrap && beacon.unanswered > 0 && beacon.unanswered < FIRST_ATTEMPTS;
}
