/** One of ours in a process of its own, for the benches: told what to do over the process channel. */
import { type Friend, Tox } from "toxcore-ts";

export type Order =
  | {
      readonly do: "befriend";
      readonly host: string;
      readonly port: number;
      readonly dhtPublicKey: string;
      readonly publicKey: string;
    }
  | { readonly do: "echo" }
  | { readonly do: "roundTrips"; readonly count: number }
  | { readonly do: "receipts"; readonly count: number }
  | { readonly do: "cpu" }
  | { readonly do: "close" };

const started = now();
const tox = await Tox.create({ bindIpv4: "127.0.0.1", ipv6: false, port: 0 });
let friend: Friend | undefined;

tox.on("friendConnection", (event) => tell({ event: "friendConnection", state: event.state, at: now() }));
tell({ event: "ready", port: tox.udpPort, dhtPublicKey: tox.dhtPublicKey, publicKey: tox.publicKey, started });

process.on("message", async (order: Order) => {
  switch (order.do) {
    case "befriend":
      await tox.bootstrap({ host: order.host, port: order.port, publicKey: order.dhtPublicKey });
      friend = await tox.addFriendWithoutRequest(order.publicKey);
      return tell({ event: "done", at: now() });
    case "echo":
      tox.on("message", (message) => message.friend.send(message.text));
      return tell({ event: "done", at: now() });
    case "roundTrips":
      return tell({ event: "done", milliseconds: await roundTrips(order.count) });
    case "receipts":
      return tell({ event: "done", seconds: await receipts(order.count) });
    case "cpu": {
      const { user, system } = process.cpuUsage();
      return tell({ event: "done", cpuSeconds: (user + system) / 1e6, rss: process.memoryUsage.rss() });
    }
    case "close":
      await tox.close();
      process.disconnect?.();
  }
});
process.on("disconnect", () => tox.close());

async function roundTrips(count: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = now();
    const heard = new Promise<void>((resolve) => {
      tox.once("message", () => resolve());
    });
    friend?.send(`ping ${i}`);
    await heard;
    times.push(now() - start);
  }
  return times;
}

async function receipts(count: number): Promise<number> {
  const start = now();
  const delivered: Promise<unknown>[] = [];
  for (let i = 0; i < count; i++) if (friend) delivered.push(friend.send(`message ${i}`).delivered);
  await Promise.all(delivered);
  return (now() - start) / 1000;
}

function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

function tell(message: object): void {
  process.send?.(message);
}
