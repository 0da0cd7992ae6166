/**
 * One of libtoxcore in a process of its own, iterated as often as `tox_iteration_interval` says. What it is told to do it
 * does in its callbacks, as ours does in its listeners.
 */
import { EventEmitter, once } from "node:events";
import type { Notify } from "../../../test/interop/peer/callbacks.ts";
import { type LoadedLibrary, loadLibrary } from "../../../test/interop/peer/library.ts";
import { Peer } from "../../../test/interop/peer/peer.ts";
import type { EventFields } from "../../../test/interop/peer/protocol.ts";
import { countedDatagrams } from "./datagrams.ts";
import { now, serve } from "./orders.ts";
import { FLOOD_ID, FLOOD_SIZE, type PeerOrders } from "./peer.ts";
import { theirCalls } from "./their_calls.ts";

const events = new EventEmitter<{ [E in keyof EventFields]: [EventFields[E]] }>();
const notify: Notify = (event, fields) => void (events as EventEmitter).emit(event, fields);
const connected = Promise.withResolvers<number>();
const friendOnline = Promise.withResolvers<number>();
let running: Peer | undefined;
let iterating = 0;
let stopFlood: (() => void) | undefined;
let floodedBytes = 0;

const orders: PeerOrders = {
  ...theirCalls(call, events),

  start({ host = "127.0.0.1", udp = true, secretKey, av = false, deaf = false }) {
    const library = counted(loadLibrary(process.env.LIBTOXCORE));
    const startPort = 20_000 + Math.floor(Math.random() * 12_000);
    const startedAt = now();
    const peer = new Peer(
      library,
      {
        ipv6: false,
        udp,
        holePunching: true,
        startPort,
        endPort: startPort + 100,
        busy: false,
        av,
        deaf,
        ...(secretKey && { secretKey }),
      },
      notify,
    );
    running = peer;
    events.on("selfConnection", ({ state }) => void (state !== "none" && connected.resolve(now())));
    events.on("friendConnection", ({ state }) => void (state !== "none" && friendOnline.resolve(now())));
    events.on("lossless", ({ hex }) => {
      floodedBytes += hex.length / 2;
    });
    const { publicKey, address, dhtId, udpPort } = peer.info();
    return Promise.resolve({
      publicKey,
      toxId: address,
      node: { host, port: udpPort, publicKey: dhtId },
      startedAt,
    });
  },

  async bootstrap(nodes) {
    for (const node of nodes) await call("bootstrap", node);
  },

  async addRelays(nodes) {
    for (const node of nodes) await call("addTcpRelay", node);
  },

  async addFriend({ toxId, message }) {
    await call("friendAdd", { address: toxId, message });
  },

  async addFriends(publicKeys) {
    for (const publicKey of publicKeys) await call("friendAddNorequest", { publicKey });
  },

  acceptRequests() {
    events.on("friendRequest", ({ publicKey }) => void call("friendAddNorequest", { publicKey }));
  },

  connectedAt: () => connected.promise,
  friendOnlineAt: () => friendOnline.promise,

  echo(on) {
    events.off("message", sendBack);
    if (on) events.on("message", sendBack);
  },

  async roundTrips(count) {
    const friend = await theFriend();
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      const start = now();
      const heard = once(events, "message");
      await call("send", { friend, text: `ping ${i}`, action: false });
      await heard;
      times.push(now() - start);
    }
    return times;
  },

  async receipts(count) {
    const friend = await theFriend();
    const start = now();
    let missing = count;
    const { promise: complete, resolve } = Promise.withResolvers<void>();
    const onReceipt = () => void (--missing === 0 && resolve());
    events.on("receipt", onReceipt);
    await call("sendMany", { friend, prefix: "message ", count });
    await complete;
    events.off("receipt", onReceipt);
    return (now() - start) / 1000;
  },

  async flood(on) {
    stopFlood?.();
    const hex = Buffer.alloc(FLOOD_SIZE, 0).fill(FLOOD_ID, 0, 1).toString("hex");
    stopFlood = on ? running?.floodLossless(await theFriend(), hex) : undefined;
  },

  acceptFiles() {
    events.on("fileOffer", ({ friend, file }) => void call("acceptFile", { friend, file }));
  },

  async sendFile(size) {
    const friend = await theFriend();
    const start = now();
    const done = once(events, "fileDone");
    await call("sendFile", { friend, zeros: size, kind: 0, name: "zeros" });
    await done;
    return (now() - start) / 1000;
  },

  flooded: () => ({ at: now(), bytes: floodedBytes }),

  usage: () => ({ cpuSeconds: iterating, memory: process.memoryUsage.rss(), datagrams: countedDatagrams() }),

  async close() {
    if (running !== undefined) await call("close", {});
  },
};

function sendBack({ friend, text }: EventFields["message"]): void {
  void call("send", { friend, text, action: false });
}

/** What a client calls at its pace. */
const AV_CALLS = /toxav_(iterate|iteration_interval|audio_send_frame|video_send_frame)\(/;

/** Node's own share of the polling is not the library's: only what passes within `tox_iterate` and its like is counted. */
function counted(library: LoadedLibrary): LoadedLibrary {
  const { iterate, iterationInterval } = library.tox;
  const cpuSeconds = threadClock(library);
  const timed =
    <A extends unknown[], R>(fn: (...args: A) => R) =>
    (...args: A): R => {
      const before = cpuSeconds();
      const result = fn(...args);
      iterating += cpuSeconds() - before;
      return result;
    };
  return {
    ...library,
    func: (prototype) => {
      const fn = library.func(prototype) as (...args: unknown[]) => unknown;
      return AV_CALLS.test(prototype) ? timed(fn) : fn;
    },
    tox: { ...library.tox, iterate: timed(iterate), iterationInterval: timed(iterationInterval) },
  };
}

/** Exact to the nanosecond: what Node says of a thread is brought up to date at the kernel's ticks only, a call being shorter. */
function threadClock(library: LoadedLibrary): () => number {
  const getTime = library.func("int clock_gettime(int clock, int64_t *time)") as (
    id: number,
    out: BigInt64Array,
  ) => number;
  const time = new BigInt64Array(2);
  return () => {
    getTime(CLOCK_THREAD_CPUTIME_ID, time);
    const [seconds = 0n, nanoseconds = 0n] = time;
    return Number(seconds) + Number(nanoseconds) / 1e9;
  };
}

const CLOCK_THREAD_CPUTIME_ID = 3;

async function call(method: string, params: object): Promise<unknown> {
  if (running === undefined) throw new Error("not started");
  return running.handle(method, params as never);
}

async function theFriend(): Promise<string> {
  const { friends } = (await call("friends", {})) as { friends: string[] };
  const [friend] = friends;
  if (friend === undefined) throw new Error("nobody is its friend");
  return friend;
}

serve(orders);
