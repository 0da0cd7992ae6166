/** One of ours in a process of its own. */
import { type Friend, Tox } from "toxcore-ts";
import { countedDatagrams } from "./datagrams.ts";
import { now, serve } from "./orders.ts";
import type { PeerOrders } from "./peer.ts";

type Instance = Awaited<ReturnType<typeof Tox.create>>;

const connected = Promise.withResolvers<number>();
const friendOnline = Promise.withResolvers<number>();
let running: Instance | undefined;
let stopEcho: (() => void) | undefined;

const orders: PeerOrders = {
  async start({ host = "127.0.0.1", secretKey }) {
    const startedAt = now();
    const tox = await Tox.create({ bindIpv4: host, ipv6: false, port: 0, ...(secretKey && { secretKey }) });
    running = tox;
    tox.on("connection", ({ state }) => void (state !== "none" && connected.resolve(now())));
    tox.on("friendConnection", ({ state }) => void (state !== "none" && friendOnline.resolve(now())));
    const node = { host, port: tox.udpPort, publicKey: tox.dhtPublicKey };
    return { publicKey: tox.publicKey, toxId: tox.id, node, startedAt };
  },

  async bootstrap(nodes) {
    await Promise.all(nodes.map((node) => instance().bootstrap(node)));
  },

  async addFriend({ toxId, message }) {
    await instance().addFriend(toxId, message);
  },

  async addFriends(publicKeys) {
    for (const publicKey of publicKeys) await instance().addFriendWithoutRequest(publicKey);
  },

  acceptRequests() {
    instance().on("friendRequest", (request) => request.accept());
  },

  connectedAt: () => connected.promise,
  friendOnlineAt: () => friendOnline.promise,

  echo(on) {
    stopEcho?.();
    stopEcho = on ? instance().on("message", ({ friend, text }) => friend.send(text)) : undefined;
  },

  async roundTrips(count) {
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      const start = now();
      const { promise: heard, resolve } = Promise.withResolvers<void>();
      instance().once("message", () => resolve());
      theFriend().send(`ping ${i}`);
      await heard;
      times.push(now() - start);
    }
    return times;
  },

  async receipts(count) {
    const friend = theFriend();
    const start = now();
    await Promise.all(Array.from({ length: count }, (_, i) => friend.send(`message ${i}`).delivered));
    return (now() - start) / 1000;
  },

  usage() {
    const { user, system } = process.cpuUsage();
    const memory = process.memoryUsage.rss();
    return { cpuSeconds: (user + system) / 1e6, memory, datagrams: countedDatagrams() };
  },

  async close() {
    await running?.close();
  },
};

function instance(): Instance {
  if (running === undefined) throw new Error("not started");
  return running;
}

function theFriend(): Friend {
  const [friend] = instance().friends;
  if (friend === undefined) throw new Error("nobody is our friend");
  return friend;
}

serve(orders);
