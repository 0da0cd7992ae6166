import type { PublicKey } from "../../../src/crypto/keys.ts";
import type { Endpoint } from "../../../src/env/datagram.ts";
import type { FriendSession, FriendSessionListener, SendPriority } from "../../../src/friend/ports.ts";
import type { RelayPath } from "../../../src/net_crypto/ports.ts";
import type { CloseReason } from "../../../src/net_crypto/session.ts";
import type { SeededRandom } from "../../../src/testing/seeded_random.ts";
import type { Timeline } from "../../../src/testing/timeline.ts";

export interface Link {
  minDelay: number;
  maxDelay: number;
  /** Unacknowledged packets a session holds before `send` answers false. */
  queueLimit: number;
  /** How many more of control packets. */
  controlAllowance: number;
  /** Sees every packet as it is sent. */
  onSent?: (owner: PublicKey, packet: Uint8Array) => void;
}

/** Two ends of a session, or one end that waits for the other. */
export class FakePair {
  broken = false;
  readonly timeline: Timeline;
  readonly random: SeededRandom;
  readonly link: Link;
  readonly #onGone: () => void;
  #ends: FakeSession[] = [];

  constructor(timeline: Timeline, random: SeededRandom, link: Link, onGone: () => void) {
    this.timeline = timeline;
    this.random = random;
    this.link = link;
    this.#onGone = onGone;
  }

  open(owner: PublicKey, listener: FriendSessionListener): FakeSession {
    const session = new FakeSession(this, owner, listener);
    this.#ends.push(session);
    return session;
  }

  accept(owner: PublicKey, listener: FriendSessionListener): void {
    this.open(owner, listener);
    this.#establish();
  }

  /** The other opening becomes the second end of this one. */
  join(_owner: PublicKey, other: FakePair): void {
    const [end] = other.#ends;
    if (end === undefined) return;
    end.pair = this;
    this.#ends.push(end);
    other.#ends = [];
    other.#gone();
    this.#establish();
  }

  otherEnd(end: FakeSession): FakeSession | undefined {
    return this.#ends.find((one) => one !== end);
  }

  endOf(owner: PublicKey): FakeSession | undefined {
    return this.#ends.find((end) => end.owner === owner);
  }

  fail(): void {
    if (this.broken || this.#ends.length !== 1) return;
    this.#gone();
    this.#ends[0]?.closed("handshake-failed");
  }

  kill(by: FakeSession): void {
    if (this.broken) return;
    this.#gone();
    by.over = true;
    const other = this.otherEnd(by);
    this.timeline.schedule(this.timeline.now + this.delay(), () => other?.closed("killed"));
  }

  /** Nothing gets through any more. */
  breakUp(learnAfter: () => number): void {
    if (this.broken) return;
    this.#gone();
    for (const end of this.#ends) {
      this.timeline.schedule(this.timeline.now + learnAfter(), () => end.closed("timeout"));
    }
  }

  /** The process at that end is gone; the other end hears nothing any more. */
  vanish(owner: PublicKey): void {
    if (!this.#ends.some((end) => end.owner === owner)) return;
    this.#gone();
    for (const end of this.#ends) if (end.owner === owner) end.over = true;
  }

  delay(): number {
    return this.random.between(this.link.minDelay, this.link.maxDelay);
  }

  #establish(): void {
    const [first, second] = this.#ends;
    second?.established();
    this.timeline.schedule(this.timeline.now + this.delay(), () => {
      if (!this.broken) first?.established();
    });
  }

  #gone(): void {
    this.broken = true;
    this.#onGone();
  }
}

/** One end. Lossless packets arrive after a delay, in order by class; acknowledgements after another. */
export class FakeSession implements FriendSession {
  pair: FakePair;
  over = false;
  isEstablished = false;
  endpoint: Endpoint | undefined = { family: 4, address: Uint8Array.of(10, 0, 0, 1), port: 33445 };
  readonly owner: PublicKey;
  readonly endpoints: Endpoint[] = [];
  readonly #listener: FriendSessionListener;
  #lastReceivedAt = Number.NEGATIVE_INFINITY;
  #unacknowledged = 0;
  #refused = false;
  #arrival = 0;
  #acknowledgedUntil = 0;
  /** Packets for an end that is not yet established. */
  #early: (() => void)[] = [];
  readonly relays = new Set<RelayPath>();

  constructor(pair: FakePair, owner: PublicKey, listener: FriendSessionListener) {
    this.pair = pair;
    this.owner = owner;
    this.#listener = listener;
  }

  get lastReceivedAt(): number {
    return this.#lastReceivedAt;
  }

  addEndpoint(endpoint: Endpoint): void {
    this.endpoints.push(endpoint);
  }

  readonly socket = undefined;
  readonly roundTripMs = undefined;

  sayAt(): boolean {
    return true;
  }

  addRelay(relay: RelayPath): void {
    this.relays.add(relay);
  }

  removeRelay(relay: RelayPath): void {
    this.relays.delete(relay);
  }

  send(packet: Uint8Array, priority: SendPriority, onAcknowledged?: () => void): boolean {
    if (this.over || !this.isEstablished) return false;
    const { pair } = this;
    const limit = pair.link.queueLimit + (priority === "control" ? pair.link.controlAllowance : 0);
    if (this.#unacknowledged >= limit) {
      this.#refused = true;
      return false;
    }
    this.#unacknowledged++;
    const bytes = packet.slice();
    this.#transmit(bytes, true, () => this.#acknowledged(onAcknowledged));
    return true;
  }

  setBulkSource(): void {}

  bulkReady(): void {}

  sendLossy(packet: Uint8Array): boolean {
    if (this.over || !this.isEstablished) return false;
    this.#transmit(packet.slice(), false, () => {});
    return true;
  }

  kill(): void {
    if (this.over) return;
    this.over = true;
    this.pair.kill(this);
    this.#listener.onClosed(this, "local");
  }

  established(): void {
    if (this.over) return;
    this.isEstablished = true;
    this.#lastReceivedAt = this.pair.timeline.now;
    this.#listener.onEstablished(this);
    for (const deliver of this.#early.splice(0)) deliver();
  }

  closed(reason: CloseReason): void {
    if (this.over) return;
    this.over = true;
    this.#listener.onClosed(this, reason);
  }

  /** Moves the session to a relay, or back to UDP. */
  movePath(endpoint: Endpoint | undefined): void {
    this.endpoint = endpoint;
    this.#listener.onPathChange(this);
  }

  receive(packet: Uint8Array, lossless: boolean): void {
    if (this.over) return;
    if (!this.isEstablished) {
      this.#early.push(() => this.receive(packet, lossless));
      return;
    }
    this.#lastReceivedAt = this.pair.timeline.now;
    const view = packet.slice();
    if (lossless) this.#listener.onLossless(this, view);
    else this.#listener.onLossy(this, view);
    view.fill(0xee); // whoever kept it will notice
  }

  #transmit(bytes: Uint8Array, lossless: boolean, arrived: () => void): void {
    const { pair } = this;
    pair.link.onSent?.(this.owner, bytes);
    this.#arrival = Math.max(this.#arrival, pair.timeline.now + pair.delay());
    pair.timeline.schedule(this.#arrival, () => {
      if (pair.broken) return;
      pair.otherEnd(this)?.receive(bytes, lossless);
      arrived();
    });
  }

  #acknowledged(onAcknowledged: (() => void) | undefined): void {
    const { pair } = this;
    this.#acknowledgedUntil = Math.max(this.#acknowledgedUntil, pair.timeline.now + pair.delay());
    pair.timeline.schedule(this.#acknowledgedUntil, () => {
      if (pair.broken || this.over) return;
      this.#unacknowledged--;
      onAcknowledged?.();
      if (!this.#refused || this.#unacknowledged > pair.link.queueLimit / 2) return;
      this.#refused = false;
      this.#listener.onWritable(this);
    });
  }
}
