import { onOneProcessor } from "../../test/interop/one_processor.ts";
import type { Bench, Side } from "./bench.ts";
import { Child, type ChildOptions } from "./processes/child.ts";
import type { LossyWayOrders } from "./processes/lossy_way.ts";
import type { PeerInfo, PeerOrders, StartOptions } from "./processes/peer.ts";

/** A peer of either side in a process of its own. */
export interface BenchPeer extends AsyncDisposable {
  readonly info: PeerInfo;
  readonly child: Child<PeerOrders>;
}

/** Two friends. */
export interface Pair extends AsyncDisposable {
  readonly alice: BenchPeer;
  readonly bob: BenchPeer;
}

export const PROGRAMS = { ours: "our_peer.ts", theirs: "their_peer.ts" } as const;

export interface PeerOptions extends ChildOptions {
  readonly start?: StartOptions;
}

export async function startPeer(
  bench: Bench,
  side: Side,
  { start = {}, ...options }: PeerOptions = {},
): Promise<BenchPeer> {
  const within = side === "theirs" && start.av ? onOneProcessor(options.within ?? []) : options.within;
  const child = await bench.start(
    () => new Child<PeerOrders>(PROGRAMS[side], { ...options, ...(within && { within }) }),
  );
  const info = await child.order("start", start);
  return { info, child, [Symbol.asyncDispose]: () => child.close() };
}

export async function startTwo(bench: Bench, side: Side, start: StartOptions = {}): Promise<Pair> {
  const [alice, bob] = await Promise.all([startPeer(bench, side, { start }), startPeer(bench, side, { start })]);
  return { alice, bob, [Symbol.asyncDispose]: () => closeBoth(alice, bob) };
}

/** Sender and receiver, or caller and called. libtoxcore to itself, the last, is what the others are held against. */
export const WAYS = [
  ["ours", "ours"],
  ["ours", "theirs"],
  ["theirs", "ours"],
  ["theirs", "theirs"],
] as const satisfies readonly (readonly [Side, Side])[];

export function waysOf(bench: Bench) {
  return WAYS.filter((sides) => sides.every((side) => bench.sides.includes(side)));
}

/** Two friends of which each may be of either side, online for each other. */
export async function startPair(bench: Bench, one: Side, other: Side, start: StartOptions = {}): Promise<Pair> {
  const [alice, bob] = await Promise.all([startPeer(bench, one, { start }), startPeer(bench, other, { start })]);
  const pair = { alice, bob, [Symbol.asyncDispose]: () => closeBoth(alice, bob) };
  await befriend(pair);
  return pair;
}

/** Two friends who reach each other only by a way that loses what it is told to. */
export interface DistantPair extends Pair {
  readonly way: Child<LossyWayOrders>;
}

export async function startDistantPair(
  bench: Bench,
  one: Side,
  other: Side,
  start: StartOptions = {},
): Promise<DistantPair> {
  const way = await bench.start(() => new Child<LossyWayOrders>("lossy_way.ts"));
  const [alice, bob] = await Promise.all([startPeer(bench, one, { start }), startPeer(bench, other, { start })]);
  const doors = await way.order("open", { alice: alice.info.node, bob: bob.info.node });
  const seenAt = (peer: BenchPeer, port: number): BenchPeer => {
    const info = { ...peer.info, node: { ...peer.info.node, port } };
    return { info, child: peer.child, [Symbol.asyncDispose]: () => peer.child.close() };
  };
  await befriend({ alice: seenAt(alice, doors.alice), bob: seenAt(bob, doors.bob) });
  return {
    ...{ alice, bob, way },
    async [Symbol.asyncDispose]() {
      await closeBoth(alice, bob);
      await way.close();
    },
  };
}

async function closeBoth(alice: BenchPeer, bob: BenchPeer): Promise<void> {
  await Promise.all([alice.child.close(), bob.child.close()]);
}

/** Tells two peers each other's address and key, and answers how many ms it took from their start until both are online. */
export async function befriend({ alice, bob }: Pick<Pair, "alice" | "bob">): Promise<number> {
  const meet = async (one: BenchPeer, other: BenchPeer) => {
    await one.child.order("bootstrap", [other.info.node]);
    await one.child.order("addFriends", [other.info.publicKey]);
    return one.child.order("friendOnlineAt");
  };
  const online = await Promise.all([meet(alice, bob), meet(bob, alice)]);
  return Math.max(...online) - Math.max(alice.info.startedAt, bob.info.startedAt);
}

/** One pair of friends a side, for all works that need no more than two who are online: theirs take ten seconds to meet. */
export class Pairs {
  readonly #bench: Bench;
  readonly #met = new Map<Side, Promise<{ readonly pair: Pair; readonly milliseconds: number }>>(); // one a side

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  async get(side: Side): Promise<Pair> {
    return (await this.#meet(side)).pair;
  }

  /** How long it took the pair to see each other online. */
  async meetingTime(side: Side): Promise<number> {
    return (await this.#meet(side)).milliseconds;
  }

  #meet(side: Side) {
    const met = this.#met.get(side) ?? this.#start(side);
    this.#met.set(side, met);
    return met;
  }

  async #start(side: Side) {
    const pair = await startTwo(this.#bench, side);
    return { pair, milliseconds: await befriend(pair) };
  }
}
