import { setTimeout as sleep } from "node:timers/promises";
import { nodeEdges } from "../../src/node/index.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import { fromHex, toHex } from "../../src/util/bytes.ts";
import { makeEndpoint, parseAddress } from "../../src/util/endpoint.ts";
import { FriendPacketId } from "../../src/wire/friend/packet_ids.ts";
import { HostileFriend } from "../support/hostile_friend.ts";
import type { ToxcorePeer } from "./toxcore.ts";

const ALIVE_EVERY_MS = 5000;
const ASK_EVERY_MS = 500;

/**
 * A friend of a C peer with nothing above the session: says any packet, lossless and lossy, and keeps every one that the peer
 * sends him. What the C library cannot show (an app gets no packets of calls) is seen here, as it was sent.
 */
export class RawFriend implements Disposable {
  /** Hex. */
  readonly publicKey: string;
  readonly #session: HostileFriend;
  readonly #alive: NodeJS.Timeout;

  private constructor(session: HostileFriend) {
    this.#session = session;
    this.publicKey = toHex(session.self.publicKey);
    session.acknowledges = true;
    this.#alive = setInterval(() => session.lossless(FriendPacketId.Alive), ALIVE_EVERY_MS);
  }

  /** Befriends the peer, and resolves when he is online for him. */
  static async meet(peer: ToxcorePeer): Promise<RawFriend> {
    const session = await HostileFriend.bind({
      edges: nodeEdges(),
      provider: sodiumProvider,
      victim: {
        endpoint: makeEndpoint(parseAddress("127.0.0.1") as Uint8Array, peer.udpPort),
        publicKey: fromHex(peer.publicKey) as never,
        dhtPublicKey: fromHex(peer.dhtId) as never,
      },
    });
    const friend = new RawFriend(session);
    await peer.friendAddNorequest(friend.publicKey);
    while (!session.established) {
      session.connect();
      await sleep(ASK_EVERY_MS);
    }
    session.lossless(FriendPacketId.Online);
    await peer.waitFor("friendConnection", { friend: friend.publicKey, state: "udp" });
    return friend;
  }

  sendLossless(...packet: ReadonlyArray<number | Uint8Array>): void {
    this.#session.lossless(...packet);
  }

  sendLossy(...packet: ReadonlyArray<number | Uint8Array>): void {
    this.#session.lossy(...packet);
  }

  /** The packets with these ids that came and were not taken yet, oldest first; all others are forgotten. */
  take(...ids: readonly number[]): Uint8Array[] {
    return this.#session.heard
      .splice(0)
      .map(({ data }) => data)
      .filter(([id = 0]) => ids.includes(id));
  }

  /** The same, waiting until there are so many. */
  async takeMany(count: number, ...ids: readonly number[]): Promise<Uint8Array[]> {
    const taken = this.take(...ids);
    while (taken.length < count) {
      await sleep(20);
      taken.push(...this.take(...ids));
    }
    return taken;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#alive);
    this.#session.close();
  }
}
