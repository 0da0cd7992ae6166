import type { PublicKey } from "../crypto/keys.ts";
import type { Cancel } from "../env/clock.ts";
import type { Endpoint, IpFamily } from "../env/datagram.ts";
import { readU32 } from "../util/bytes.ts";
import { isLanAddress } from "../util/endpoint.ts";
import type { PackedNode } from "../wire/packed_node.ts";
import { sameSubnet } from "./addresses.ts";

/** A node that has been silent for so long (ms) is bad: told to nobody and the first to be replaced. DHT.h BAD_NODE_TIMEOUT. */
export const BAD_NODE_TIMEOUT = 122_000;
/** So many requests in a row without an answer make a node bad at once; each but the last is repeated immediately. */
export const MISSES_UNTIL_BAD = 3;

/** An address at which a node has answered us. toxcore's assoc4 and assoc6. */
export class Association {
  /** The node at this address, as packets name it. */
  readonly node: PackedNode;
  readonly isLan: boolean;
  lastSeen: number;
  /** Requests without an answer since `lastSeen`, and when the last of them was given up. */
  missed = 0;
  lastMiss = Number.NEGATIVE_INFINITY;
  lastAsked = Number.NEGATIVE_INFINITY;
  /** The timer of the next ping. */
  cancelPing: Cancel | undefined;

  constructor(publicKey: PublicKey, endpoint: Endpoint, now: number) {
    this.node = { publicKey, endpoint };
    this.isLan = isLanAddress(endpoint.address);
    this.lastSeen = now;
  }

  get endpoint(): Endpoint {
    return this.node.endpoint;
  }

  isGood(now: number): boolean {
    return this.missed < MISSES_UNTIL_BAD && now - this.lastSeen < BAD_NODE_TIMEOUT;
  }
}

/** A node in one or more of our lists. All of them share this object, so that it is pinged once for all. */
export class NodeEntry {
  readonly publicKey: PublicKey;
  /** The key's first 32 bits, for quick comparisons of distance. */
  readonly prefix: number;
  ipv4: Association | undefined;
  ipv6: Association | undefined;
  /** How many lists hold it. */
  holders = 0;

  constructor(publicKey: PublicKey) {
    this.publicKey = publicKey.slice() as PublicKey;
    this.prefix = readU32(publicKey, 0);
  }

  association(family: IpFamily): Association | undefined {
    return family === 4 ? this.ipv4 : this.ipv6;
  }

  setAssociation(family: IpFamily, association: Association | undefined): void {
    if (family === 4) this.ipv4 = association;
    else this.ipv6 = association;
  }

  isGood(now: number): boolean {
    return (this.ipv4?.isGood(now) ?? false) || (this.ipv6?.isGood(now) ?? false);
  }

  /** The address to tell or to use: good, of the wanted family if there is a choice, else the fresher one. */
  best(now: number, lan = true, family?: IpFamily): Association | undefined {
    const ipv4 = usable(this.ipv4, now, lan);
    const ipv6 = usable(this.ipv6, now, lan);
    if (ipv4 === undefined || ipv6 === undefined) return ipv4 ?? ipv6;
    if (family !== undefined) return family === 4 ? ipv4 : ipv6;
    return ipv4.lastSeen >= ipv6.lastSeen ? ipv4 : ipv6;
  }

  /** Whether one of its addresses lies in the same /24 or /64. */
  inSubnetOf(endpoint: Endpoint): boolean {
    const own = this.association(endpoint.family);
    return own !== undefined && sameSubnet(own.endpoint, endpoint);
  }
}

function usable(association: Association | undefined, now: number, lan: boolean): Association | undefined {
  return association?.isGood(now) && (lan || !association.isLan) ? association : undefined;
}
