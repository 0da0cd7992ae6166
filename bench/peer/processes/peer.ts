import type { CallOrders } from "./call_orders.ts";
import type { NodeAddress } from "./node_address.ts";

/** Who a peer is, and the clock (`now`) just before its instance was made. */
export interface PeerInfo {
  readonly publicKey: string;
  readonly toxId: string;
  readonly node: NodeAddress;
  readonly startedAt: number;
}

export interface StartOptions {
  /** Where it is reached; on loopback when left out. */
  readonly host?: string;
  /** False: nothing but TCP. True when left out. */
  readonly udp?: boolean;
  /** 64 hex digits; random when left out. */
  readonly secretKey?: string;
  /** Whether it can have calls; ours always can. */
  readonly av?: boolean;
  /** Counts what comes in calls, and does not look at what is in it. */
  readonly deaf?: boolean;
}

export interface Usage {
  /** What the library used of the processor. */
  readonly cpuSeconds: number;
  /** Of the whole process, in bytes. */
  readonly memory: number;
  /** UDP datagrams of the network namespace that the peer runs in. */
  readonly datagrams: Datagrams;
}

export interface Datagrams {
  readonly received: number;
  readonly sent: number;
}

export interface Flooded {
  readonly at: number;
  readonly bytes: number;
}

/** Of lossless packets that are the app's own, the first id and the largest size. */
export const FLOOD_ID = 160;
export const FLOOD_SIZE = 1373;

/** What a peer of either side takes as orders, so that each bench is written once. Times are those of `now`. */
export interface PeerOrders extends CallOrders {
  [order: string]: (argument: never) => unknown;
  start(options: StartOptions): Promise<PeerInfo>;
  bootstrap(nodes: readonly NodeAddress[]): Promise<void>;
  /** They relay on the TCP port of the same number. */
  addRelays(nodes: readonly NodeAddress[]): Promise<void>;
  /** Asks for friendship. */
  addFriend(friend: { readonly toxId: string; readonly message: string }): Promise<void>;
  addFriends(publicKeys: readonly string[]): Promise<void>;
  /** From now on. */
  acceptRequests(): void;
  /** When it first was in the network. */
  connectedAt(): Promise<number>;
  /** When it first saw a friend online. */
  friendOnlineAt(): Promise<number>;
  /** Whether each message is sent back. */
  echo(on: boolean): void;
  /** One message after the other to the one friend, each when the last has come back; ms each. */
  roundTrips(count: number): Promise<number[]>;
  /** Messages to the one friend until all receipts are there; seconds. */
  receipts(count: number): Promise<number>;
  /** Sends the one friend lossless packets of the largest size as fast as he takes them, until told to stop. */
  flood(on: boolean): void;
  /** Bytes of such packets that have come. */
  flooded(): Flooded | Promise<Flooded>;
  /** Accepts every file from now on, and forgets what comes. */
  acceptFiles(): void;
  /** Sends the one friend so many zeros; seconds from the offer until all of it is acknowledged. */
  sendFile(size: number): Promise<number>;
  usage(): Usage;
  close(): Promise<void>;
}
