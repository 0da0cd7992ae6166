import type { PublicKey } from "../../src/crypto/keys.ts";
import type { FriendSession, FriendSessionListener } from "../../src/friend/ports.ts";
import { fromUtf8 } from "../../src/util/text.ts";
import { ignoreDrop } from "../../src/wire/drop.ts";
import { decodeMessageFragment } from "../../src/wire/friend/extension.ts";
import { FriendPacketId } from "../../src/wire/friend/packet_ids.ts";
import type { Node, Person, World } from "../../test/unit/friend/world.ts";

/** Somebody on a friend list who says what a program tells him, whatever sense it makes. */
export class Mallory implements Node {
  readonly publicKey: PublicKey;
  dhtPublicKey: PublicKey;
  alive = true;
  session: FriendSession | undefined;
  /** Whether he takes sessions that others begin. */
  accepts = true;
  /** The words of messages to anybody, as they left. */
  readonly texts = new Set<string>();
  /** The epoch of their numbers. */
  epoch: bigint | undefined;
  /** How many packets he has said. */
  said = 0;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    this.publicKey = world.keys("mallory").publicKey;
    this.dhtPublicKey = world.crypto.keyPair().publicKey;
    world.add(this);
    world.link.onSent = (_owner, packet) => {
      const text = textIn(packet);
      if (text !== undefined) this.texts.add(wordsOf(fromUtf8(text)));
    };
  }

  incoming(): FriendSessionListener | undefined {
    return this.accepts ? this.#listener() : undefined;
  }

  connect(to: Person): void {
    this.#world.sessionsOf(this).connect(to.publicKey, to.dhtPublicKey, this.#listener());
  }

  /** Has another DHT key, which everybody hears. */
  restart(): void {
    this.dhtPublicKey = this.#world.crypto.keyPair().publicKey;
    this.#world.announceAll();
  }

  say(packet: Uint8Array, isLossless = true): void {
    if (packet.length === 0) return;
    this.said++;
    if (isLossless) this.session?.send(packet, "message");
    else this.session?.sendLossy(packet);
  }

  #listener(): FriendSessionListener {
    return {
      onEstablished: (session) => {
        this.session = session;
      },
      onLossless: (_session, packet) => this.#read(packet),
      onLossy: () => {},
      onWritable: () => {},
      onPathChange: () => {},
      onClosed: (session) => {
        if (this.session === session) this.session = undefined;
      },
    };
  }

  #read(packet: Uint8Array): void {
    this.epoch = decodeMessageFragment(packet, ignoreDrop)?.epoch ?? this.epoch;
  }
}

function textIn(packet: Uint8Array): Uint8Array | undefined {
  const isPlain = packet[0] === FriendPacketId.Message || packet[0] === FriendPacketId.Action;
  return isPlain ? packet.subarray(1) : decodeMessageFragment(packet, ignoreDrop)?.text;
}

/** Who says a message, and the number that he gives it: what stands before the padding. */
export function wordsOf(text: string): string {
  return text.split(".", 1)[0] ?? "";
}
