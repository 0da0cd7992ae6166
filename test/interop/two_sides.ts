import { Tox } from "../../src/index.ts";
import { Heard } from "../support/heard.ts";
import type { DhtNode, ToxcorePeer } from "./toxcore.ts";

/** One of ours on loopback, and what it told so far. */
export interface Ours extends AsyncDisposable {
  readonly tox: Tox;
  readonly heard: Heard;
  /** This instance as a node to bootstrap from. */
  readonly node: DhtNode;
}

export async function startOurs(options: Parameters<typeof Tox.create>[0] = {}): Promise<Ours> {
  const tox = await Tox.create({ bindIpv4: "127.0.0.1", ipv6: false, port: 0, ...options });
  return {
    tox,
    heard: new Heard(tox),
    node: { host: "127.0.0.1", port: tox.udpPort, publicKey: tox.dhtPublicKey },
    [Symbol.asyncDispose]: () => tox.close(),
  };
}

/** Some of ours that are nobody's friends: a network that others can come from and go to. */
export async function startNetwork(
  count: number,
): Promise<AsyncDisposable & { readonly node: DhtNode & { publicKey: string } }> {
  const first = await startOurs();
  const others = await Promise.all(Array.from({ length: count - 1 }, () => startOurs()));
  for (const { tox } of others) await tox.bootstrap({ ...first.node, publicKey: first.tox.dhtPublicKey });
  const close = async () => void (await Promise.all([first, ...others].map(({ tox }) => tox.close())));
  return { node: { ...first.node, publicKey: first.tox.dhtPublicKey }, [Symbol.asyncDispose]: close };
}

/** Each told of the other's node. */
export async function introduce(ours: Ours, theirs: ToxcorePeer): Promise<void> {
  await theirs.bootstrap(ours.node);
  await ours.tox.bootstrap({ host: "127.0.0.1", port: theirs.udpPort, publicKey: theirs.dhtId });
}

/** toxcore polls and waits between tries: what takes us a moment may take it half a minute. */
export const TOXCORE_PATIENCE_MS = 60_000;

/** Both friends without a request, and online for each other. */
export async function befriend(ours: Ours, theirs: ToxcorePeer) {
  const friend = await ours.tox.addFriendWithoutRequest(theirs.publicKey);
  await theirs.friendAddNorequest(ours.tox.publicKey);
  await untilOnline(ours, theirs);
  return friend;
}

export async function untilOnline(ours: Ours, theirs: ToxcorePeer): Promise<void> {
  await Promise.all([
    ours.heard.waitFor(
      "friendConnection",
      ({ friend, state }) => friend.publicKey === theirs.publicKey && state !== "none",
      TOXCORE_PATIENCE_MS,
    ),
    theirs.waitFor(
      "friendConnection",
      ({ friend, state }) => friend === ours.tox.publicKey && state !== "none",
      TOXCORE_PATIENCE_MS,
    ),
  ]);
}
