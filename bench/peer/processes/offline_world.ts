/**
 * A network namespace with the nodes of a network in it, joined by a cable to a second one in which one instance waits for
 * its friends: so the kernel counts that instance's datagrams and no others, without root where user namespaces are allowed.
 */
import { spawnSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { Bench, type Side } from "../bench.ts";
import { startNetwork } from "../network.ts";
import { PROGRAMS, startPeer } from "../peers.ts";
import { Child } from "./child.ts";
import type { NodeAddress } from "./node_address.ts";
import { now, serve } from "./orders.ts";
import type { PeerOrders } from "./peer.ts";
import { crypto } from "./sealed_request.ts";

export type OfflineWorldOrders = typeof orders;

/** What waiting costs, a second. */
export interface Cost {
  readonly cpu: number;
  readonly sent: number;
  readonly received: number;
}

const NODES_HOST = "10.77.0.1";
const WAITING_HOST = "10.77.0.2";

const bench = new Bench(false);
/** The only one of the friends who exists. */
const returning = crypto.keyPair();
let side: Side = "ours";
let nodes: readonly NodeAddress[] = [];
let waiting: Child<PeerOrders> | undefined;
let waitingKey = "";

const orders = {
  /** Starts a network of so many nodes. */
  async open(size: number): Promise<void> {
    ip("link set lo up");
    ip("link add nodes type veth peer name waiting");
    ip(`address add ${NODES_HOST}/24 dev nodes`);
    ip("link set nodes up");
    nodes = (await startNetwork(bench, size, { host: NODES_HOST })).addresses;
  },

  /** Starts an instance in a namespace of its own; answers when it is in the network and has so many absent friends. */
  async wait(options: { side: Side; friends: number }): Promise<void> {
    side = options.side;
    waiting = await bench.start(() => new Child<PeerOrders>(PROGRAMS[side], { within: ["unshare", "--net"] }));
    await waiting.order("usage"); // now it is in its namespace
    ip(`link set waiting netns ${waiting.pid}`);
    for (const command of ["link set lo up", `address add ${WAITING_HOST}/24 dev waiting`, "link set waiting up"]) {
      run("nsenter", "--target", String(waiting.pid), "--net", "ip", ...command.split(" "));
    }
    const { publicKey } = await waiting.order("start", { host: WAITING_HOST });
    waitingKey = publicKey;
    await waiting.order("bootstrap", nodes.slice(0, 2));
    await waiting.order("connectedAt");
    const friends = [returning, ...Array.from({ length: options.friends - 1 }, () => crypto.keyPair())];
    await waiting.order(
      "addFriends",
      friends.map(({ publicKey }) => hex(publicKey)),
    );
  },

  async measure(seconds: number): Promise<Cost> {
    if (waiting === undefined) throw new Error("nobody waits");
    const before = await waiting.order("usage");
    const start = now();
    await delay(seconds * 1000);
    const after = await waiting.order("usage");
    const elapsed = (now() - start) / 1000;
    return {
      cpu: (after.cpuSeconds - before.cpuSeconds) / elapsed,
      sent: (after.datagrams.sent - before.datagrams.sent) / elapsed,
      received: (after.datagrams.received - before.datagrams.received) / elapsed,
    };
  },

  /** One of the friends starts after all; answers how many ms later both see each other. */
  async comeBack(): Promise<number> {
    if (waiting === undefined) throw new Error("nobody waits");
    const { child, info } = await startPeer(bench, side, {
      start: { host: NODES_HOST, secretKey: hex(returning.secretKey) },
    });
    await child.order("bootstrap", nodes.slice(0, 2));
    await child.order("addFriends", [waitingKey]);
    const online = await Promise.all([waiting.order("friendOnlineAt"), child.order("friendOnlineAt")]);
    return Math.max(...online) - info.startedAt;
  },

  close: () => bench[Symbol.asyncDispose](),
};

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function ip(command: string): void {
  run("ip", ...command.split(" "));
}

function run(command: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr}`);
}

serve(orders);
