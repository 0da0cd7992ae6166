import type { PublicKey } from "../crypto/keys.ts";
import type { Endpoint } from "../env/datagram.ts";
import { sameBytes } from "../util/bytes.ts";
import { FIRST_CONNECTION_ID, MAX_ROUTES } from "../wire/tcp/packets.ts";
import type { AddressShare } from "./address_shares.ts";
import type { RelayClientId } from "./ports.ts";
import type { SecureStream } from "./secure_stream.ts";

/** What one client asked for: to be linked with a peer, whom `other` is the half of once both have asked. */
export interface Link {
  readonly owner: RelayConnection;
  /** 16–255, the owner's name for it. */
  readonly id: number;
  readonly peer: PublicKey;
  other: Link | undefined;
  /** Whether the owner was told that the peer is there. */
  told: boolean;
}

/** A connection to our relay. Holds little while idle: no buffers, no timers, no table before the first link. */
export class RelayConnection {
  readonly id: RelayClientId;
  readonly remote: Endpoint | undefined;
  readonly share: AddressShare<RelayConnection>;
  readonly stream: SecureStream;
  state: "handshake" | "unconfirmed" | "client" | "closed" = "handshake";
  /** Known since the handshake. */
  publicKey: PublicKey | undefined;
  /** Of the ping that waits for its answer. */
  pingId: bigint | undefined;
  /** By id, from 16 on. Bounded by MAX_ROUTES. */
  readonly #links: (Link | undefined)[] = [];

  constructor(
    id: RelayClientId,
    remote: Endpoint | undefined,
    share: AddressShare<RelayConnection>,
    open: (connection: RelayConnection) => SecureStream,
  ) {
    this.id = id;
    this.remote = remote;
    this.share = share;
    this.stream = open(this);
  }

  link(id: number): Link | undefined {
    return this.#links[id - FIRST_CONNECTION_ID];
  }

  linkTo(peer: Uint8Array): Link | undefined {
    for (const link of this.#links) if (link !== undefined && sameBytes(link.peer, peer)) return link;
    return undefined;
  }

  /** A link with the lowest free id, or nothing when all are taken. */
  addLink(peer: Uint8Array): Link | undefined {
    let index = this.#links.indexOf(undefined);
    if (index < 0) index = this.#links.length;
    if (index >= MAX_ROUTES) return undefined;
    const link: Link = {
      owner: this,
      id: FIRST_CONNECTION_ID + index,
      peer: peer.slice() as PublicKey,
      other: undefined,
      told: false,
    };
    this.#links[index] = link;
    return link;
  }

  removeLink(link: Link): void {
    this.#links[link.id - FIRST_CONNECTION_ID] = undefined;
  }

  links(): Link[] {
    return this.#links.filter((link) => link !== undefined);
  }
}
