/** One of ours in a process of its own. */
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import { type Friend, Tox, ToxError } from "toxcore-ts";
import { countedDatagrams } from "./datagrams.ts";
import { now, serve } from "./orders.ts";
import { ourCalls } from "./our_calls.ts";
import { FLOOD_ID, FLOOD_SIZE, type PeerOrders } from "./peer.ts";

type Instance = Awaited<ReturnType<typeof Tox.create>>;

const connected = Promise.withResolvers<number>();
const friendOnline = Promise.withResolvers<number>();
let running: Instance | undefined;
let isDeaf = false;
let flooding = false;
let floodedBytes = 0;
let stopEcho: (() => void) | undefined;

const orders: PeerOrders = {
  ...ourCalls(instance, () => isDeaf),

  async start({ host = "127.0.0.1", udp = true, secretKey, deaf = false }) {
    isDeaf = deaf;
    const startedAt = now();
    const tox = await Tox.create({ bindIpv4: host, udp, ipv6: false, port: 0, ...(secretKey && { secretKey }) });
    running = tox;
    tox.on("connection", ({ state }) => void (state !== "none" && connected.resolve(now())));
    tox.on("friendConnection", ({ state }) => void (state !== "none" && friendOnline.resolve(now())));
    tox.on("packet", ({ bytes }) => {
      floodedBytes += bytes.length;
    });
    const node = { host, port: tox.udpPort, publicKey: tox.dhtPublicKey };
    return { publicKey: tox.publicKey, toxId: tox.id, node, startedAt };
  },

  async bootstrap(nodes) {
    await Promise.all(nodes.map((node) => instance().bootstrap(node)));
  },

  async addRelays(nodes) {
    for (const node of nodes) instance().addRelay(node);
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

  flood(on) {
    if (on && !flooding) void flood();
    flooding = on;
  },

  acceptFiles() {
    const nothing = async () => {};
    instance().on("fileOffer", (offer) => void offer.accept({ write: nothing, close: nothing, abort: nothing }));
  },

  async sendFile(size) {
    const zeros = new Uint8Array(2 ** 20);
    const start = now();
    const source = { name: "zeros", size, read: async (_: number, length: number) => zeros.subarray(0, length) };
    const outcome = await theFriend().sendFile(source).done;
    if (outcome.state !== "done") throw new Error(`the file was ${outcome.state}`);
    return (now() - start) / 1000;
  },

  flooded: () => ({ at: now(), bytes: floodedBytes }),

  usage() {
    const { user, system } = process.cpuUsage();
    const memory = process.memoryUsage.rss();
    return { cpuSeconds: (user + system) / 1e6, memory, datagrams: countedDatagrams() };
  },

  async close() {
    await running?.close();
  },
};

/** As an app may do it: so many in a turn, and when the queue is full a moment later. */
async function flood(): Promise<void> {
  const packet = new Uint8Array(FLOOD_SIZE);
  packet[0] = FLOOD_ID;
  for (flooding = true; flooding; ) {
    try {
      for (let i = 0; i < PACKETS_A_TURN; i++) theFriend().sendPacket(packet);
      await turn();
    } catch (error) {
      if (!(error instanceof ToxError) || error.code !== "queue-full") throw error;
      await delay(2);
    }
  }
}

const PACKETS_A_TURN = 128;

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
