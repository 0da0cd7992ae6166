/** One who sends a file, or takes what comes, and tells how much memory that takes. Ends properly when its input ends. */
import { createHash } from "node:crypto";
import { createReadStream, writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type DatagramPort, type FileTransfer, Tox } from "../../src/core.ts";
import { fileSink, fileStore, loadCryptoProvider, nodeEdges, openFileSource } from "../../src/node/index.ts";

export interface Orders {
  readonly profile: string;
  readonly secretKey: string;
  readonly friend: string;
  readonly node: { readonly host: string; readonly port: number; readonly publicKey: string };
  /** What comes is put there. */
  readonly folder: string;
}

const orders = JSON.parse(process.argv[2] ?? "") as Orders;
const say = (...words: (string | number)[]) => writeSync(1, `${words.join(" ")}\n`);

let sent = 0;
const edges = nodeEdges();
const crypto = await loadCryptoProvider();
const store = fileStore(orders.profile);
const tox = await Tox.create(
  { ...edges, datagrams: counting(edges.datagrams), crypto, release: edges.close },
  {
    ...{ store, secretKey: orders.secretKey, nospam: 1, bindIpv4: "127.0.0.1", ipv6: false, port: 0 },
    bootstrap: [orders.node],
  },
);
tox.on("friendConnection", ({ state }) => say("friend", state));
tox.on("fileOffer", (offer) => watch(offer.accept(fileSink(join(orders.folder, offer.name)))));
tox.on("fileResumed", ({ transfer }) => watch(transfer));
const friend = tox.friend(orders.friend) ?? (await tox.addFriendWithoutRequest(orders.friend));
say("ready", tox.udpPort, tox.dhtPublicKey);

for await (const line of createInterface({ input: process.stdin })) {
  const [what, path = ""] = line.split(" ");
  if (what === "send") watch(friend.sendFile(await openFileSource(path)));
  else if (what === "memory") tellMemory();
}
await tox.close();
await store.close();

/** Resident, and what is alive after the garbage has been collected, and bytes of datagrams that left; all in bytes. */
function tellMemory(): void {
  const { rss } = process.memoryUsage();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  say("memory", rss, heapUsed + external, sent);
}

function watch(transfer: FileTransfer): void {
  transfer.on("progress", ({ bytes }) => say("progress", bytes));
  void transfer.done.then(async (outcome) => {
    if (outcome.state === "closed") return;
    const path = join(orders.folder, transfer.name);
    const hash = transfer.direction === "receive" && outcome.state === "done" ? await hashOf(path) : "-";
    say("over", outcome.state, transfer.direction, transfer.seconds, hash);
  });
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece);
  return hash.digest("hex");
}

/** The same sockets; what they send is added up. */
function counting(port: DatagramPort): DatagramPort {
  return {
    async bind(options) {
      const socket = await port.bind(options);
      const send = socket.send.bind(socket);
      socket.send = (buffer, length, to) => {
        const taken = send(buffer, length, to);
        if (taken) sent += length;
        return taken;
      };
      return socket;
    },
  };
}
