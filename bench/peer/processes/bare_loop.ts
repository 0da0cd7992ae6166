/**
 * What two Node processes could do without any protocol: boxes of 1,373 bytes over connected `dgram` one way, an
 * acknowledgement every 32 packets, at most 512 under way.
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { loadCryptoProvider, nodeRandom } from "toxcore-ts/node";
import { MAC_SIZE, NONCE_SIZE } from "../../../src/crypto/keys.ts";
import { now, serve } from "./orders.ts";

export type LoopOrders = typeof orders;

const PAYLOAD = 1_373;
const NUMBER_SIZE = 4;
const ACKNOWLEDGE_EVERY = 32;
const WINDOW = 512;
const HOST = "127.0.0.1";
/** Nothing is sent again: a packet that is lost ends the run. */
const STALLED = 2_000;
const BUFFER = 4 * 2 ** 20;

const crypto = await loadCryptoProvider();
let socket: Socket | undefined;

const orders = {
  /** Opens the socket; answers its port. */
  async open(): Promise<number> {
    socket = createSocket({ type: "udp4", recvBufferSize: BUFFER });
    socket.bind(0, HOST);
    await once(socket, "listening");
    return socket.address().port;
  },

  async connect(port: number): Promise<void> {
    theSocket().connect(port, HOST);
    await once(theSocket(), "connect");
  },

  /** Opens what comes and acknowledges it, from now on, counted from 0. */
  receive(key: Uint8Array): void {
    let count = 0;
    const plain = new Uint8Array(PAYLOAD);
    theSocket().removeAllListeners("message");
    theSocket().on("message", (packet) => {
      if (!crypto.open(plain, packet.subarray(NUMBER_SIZE), nonceOf(packet.readUInt32BE(0)), key)) return;
      count++;
      if (count % ACKNOWLEDGE_EVERY === 0) theSocket().send(numbered(count, 0));
    });
  },

  /** Sends so many packets; answers the seconds until the last is acknowledged. */
  async send({ key, packets }: { key: Uint8Array; packets: number }): Promise<number> {
    const payload = new Uint8Array(PAYLOAD);
    nodeRandom.fill(payload);
    const start = now();
    let sent = 0;
    let acknowledged = 0;
    const { promise: done, resolve, reject } = Promise.withResolvers<void>();
    const stalled = setTimeout(() => reject(new Error("a packet was lost")), STALLED);
    const fill = () => {
      while (sent < packets && sent - acknowledged < WINDOW) {
        const packet = numbered(sent, MAC_SIZE + PAYLOAD);
        crypto.seal(packet.subarray(NUMBER_SIZE), payload, nonceOf(sent), key);
        theSocket().send(packet);
        sent++;
      }
    };
    const hear = (packet: Buffer) => {
      acknowledged = packet.readUInt32BE(0);
      stalled.refresh();
      if (acknowledged >= packets) resolve();
      else fill();
    };
    theSocket().on("message", hear);
    fill();
    await done.finally(() => {
      clearTimeout(stalled);
      theSocket().off("message", hear);
    });
    return (now() - start) / 1000;
  },

  close(): void {
    socket?.close();
  },
};

function numbered(number: number, rest: number): Buffer {
  const packet = Buffer.allocUnsafe(NUMBER_SIZE + rest);
  packet.writeUInt32BE(number, 0);
  return packet;
}

function nonceOf(number: number): Uint8Array {
  const nonce = new Uint8Array(NONCE_SIZE);
  nonce.set([number >>> 24, number >>> 16, number >>> 8, number]);
  return nonce;
}

function theSocket(): Socket {
  if (socket === undefined) throw new Error("not opened");
  return socket;
}

serve(orders);
