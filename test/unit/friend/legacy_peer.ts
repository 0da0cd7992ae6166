import type { PublicKey } from "../../../src/crypto/keys.ts";
import { memoryStore } from "../../../src/env/memory_store.ts";
import type { Store } from "../../../src/env/store.ts";
import type { Friend } from "../../../src/friend/friend.ts";
import type { FriendSession, FriendSessionListener } from "../../../src/friend/ports.ts";
import { fromUtf8, utf8 } from "../../../src/util/text.ts";
import { type Node, type Person, World } from "./world.ts";

/** Does with packets what toxcore's Messenger does, no more: knows nothing of packet 150. */
export class LegacyPeer implements Node {
  readonly publicKey: PublicKey;
  readonly dhtPublicKey: PublicKey;
  alive = true;
  online = false;
  session: FriendSession | undefined;
  /** Texts of messages, as they came. */
  readonly texts: string[] = [];
  /** Ids of all packets that came, and those that toxcore has no use for. */
  readonly ids: number[] = [];
  readonly ignored: number[] = [];
  readonly requests: string[] = [];
  /** What came, while somebody else handles it. */
  readonly packets: Uint8Array[] = [];
  readonly #world: World;

  constructor(world: World, name: string) {
    this.#world = world;
    this.publicKey = world.keys(name).publicKey;
    this.dhtPublicKey = world.crypto.keyPair().publicKey;
    world.add(this);
  }

  incoming(_peer: PublicKey): FriendSessionListener | undefined {
    if (this.session) return undefined;
    return {
      onEstablished: (session) => {
        this.session = session;
        session.send(Uint8Array.of(24), "control");
        session.send(Uint8Array.of(16), "control");
      },
      onLossless: (session, packet) => this.#handle(session, packet),
      onLossy: (_session, packet) => this.ids.push(packet[0] ?? -1),
      onWritable: () => {},
      onPathChange: () => {},
      onClosed: () => {
        this.session = undefined;
        this.online = false;
      },
    };
  }

  onFriendRequest(_sender: PublicKey, data: Uint8Array): void {
    this.requests.push(fromUtf8(data.subarray(4)));
  }

  say(text: string): void {
    this.send(64, ...utf8(text));
  }

  send(...packet: number[]): void {
    this.session?.send(Uint8Array.from(packet), "message");
  }

  /** Removes the friend and adds him again, without losing the session: group chats may keep it. */
  leave(): void {
    this.online = false;
    this.send(25);
  }

  #handle(session: FriendSession, packet: Uint8Array): void {
    const id = packet[0] ?? -1;
    this.ids.push(id);
    if (id === 16 || id === 17 || id === 18) return;
    if (!this.online) {
      if (id !== 24 || packet.length !== 1) {
        this.ignored.push(id);
        return;
      }
      this.online = true;
      session.send(Uint8Array.of(24), "control");
      // toxcore's next iteration
      this.#world.after(50, () => {
        if (!this.online || this.session === undefined) return;
        this.send(48, ...utf8("legacy"));
        this.send(49, ...utf8("a status"));
        this.send(50, 1);
        this.send(51, 0);
      });
      return;
    }
    if (id === 25) this.online = false;
    else if (id === 64 || id === 65) this.texts.push(fromUtf8(packet.subarray(1)));
    else if (id > 51 && id < 160) this.ignored.push(id);
  }
}

/** A peer who has a session with us but says nothing by himself. */
export async function withSilentPeer(
  add: (world: World, a: Person, name: string) => Friend = (world, a, name) =>
    a.friends.addWithoutRequest(world.keys(name).publicKey),
  store: Store = memoryStore(),
) {
  const world = new World();
  const a = await world.person("a", store);
  const peer = new LegacyPeer(world, "peer");
  const talkative = peer.incoming.bind(peer);
  peer.incoming = (key) => {
    const listener = talkative(key);
    return (
      listener && {
        ...listener,
        onEstablished: (session) => {
          peer.session = session;
        },
        onLossless: (_session, packet) => {
          peer.ids.push(packet[0] ?? -1);
          peer.packets.push(packet.slice());
        },
      }
    );
  };
  const friend = add(world, a, "peer");
  await world.run(500);
  if (peer.session === undefined) throw new Error("no session");
  return { world, a, peer, friend };
}
