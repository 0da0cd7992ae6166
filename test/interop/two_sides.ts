import { type Friend, Tox } from "../../src/index.ts";
import { Heard } from "../support/heard.ts";
import { type DhtNode, ToxcorePeer, type ToxcorePeerOptions } from "./toxcore.ts";

/** One of ours on loopback, and what it told so far. */
export interface Ours extends AsyncDisposable {
  readonly tox: Tox;
  readonly heard: Heard;
  /** This instance as a node to bootstrap from. */
  readonly node: DhtNode & { publicKey: string };
}

type OursOptions = Parameters<typeof Tox.create>[0];

export async function startOurs(options: OursOptions = {}): Promise<Ours> {
  const tox = await Tox.create({ bindIpv4: "127.0.0.1", ipv6: false, port: 0, ...options });
  return {
    tox,
    heard: new Heard(tox),
    node: { host: "127.0.0.1", port: tox.udpPort, publicKey: tox.dhtPublicKey },
    [Symbol.asyncDispose]: () => tox.close(),
  };
}

/** One of ours and one of theirs, friends and online for each other. */
export interface Pair extends AsyncDisposable {
  readonly ours: Ours;
  readonly theirs: ToxcorePeer;
  /** They, for us. */
  readonly friend: Friend;
}

export async function startPair(
  options: { readonly ours?: OursOptions; readonly theirs?: ToxcorePeerOptions } = {},
): Promise<Pair> {
  await using starting = new AsyncDisposableStack();
  const ours = starting.use(await startOurs(options.ours));
  const theirs = starting.use(await ToxcorePeer.start(options.theirs));
  await introduce(ours, theirs);
  const friend = await befriend(ours, theirs);
  const both = starting.move();
  return { ours, theirs, friend, [Symbol.asyncDispose]: () => both.disposeAsync() };
}

/** Some of ours that are nobody's friends: a network that others can come from and go to. */
export async function startNetwork(count: number): Promise<AsyncDisposable & { readonly node: Ours["node"] }> {
  const first = await startOurs();
  const others = await Promise.all(Array.from({ length: count - 1 }, () => startOurs({ bootstrap: [first.node] })));
  const close = async () => void (await Promise.all([first, ...others].map(({ tox }) => tox.close())));
  return { node: first.node, [Symbol.asyncDispose]: close };
}

/** Each told of the other's node. */
export async function introduce(ours: Ours, theirs: ToxcorePeer): Promise<void> {
  await theirs.bootstrap(ours.node);
  await ours.tox.bootstrap(theirs.dhtNode);
}

/** toxcore polls and waits between tries: what takes us a moment may take it half a minute, and more on a busy machine. */
export const TOXCORE_PATIENCE_MS = 120_000;

/** Both friends without a request, and online for each other. */
export async function befriend(ours: Ours, theirs: ToxcorePeer) {
  const friend = await ours.tox.addFriendWithoutRequest(theirs.publicKey);
  await theirs.friendAddNorequest(ours.tox.publicKey);
  await untilOnline(ours, theirs);
  return friend;
}

export async function untilOnline(
  ours: Pick<Ours, "tox" | "heard">,
  theirs: ToxcorePeer,
  timeoutMs: number = TOXCORE_PATIENCE_MS,
): Promise<void> {
  await Promise.all([
    ours.heard.waitFor(
      "friendConnection",
      ({ friend, state }) => friend.publicKey === theirs.publicKey && state !== "none",
      timeoutMs,
    ),
    theirs.waitFor(
      "friendConnection",
      ({ friend, state }) => friend === ours.tox.publicKey && state !== "none",
      timeoutMs,
    ),
  ]);
}
