import { MemoryMetrics } from "../../src/env/metrics.ts";
import { dropCounter } from "../../src/network/drop_counter.ts";
import { UdpNetwork } from "../../src/network/udp_network.ts";
import { EndpointCache } from "../../src/node/endpoint_cache.ts";
import { formatAddress } from "../../src/util/endpoint.ts";
import { callRows, type Part } from "./part.ts";
import { endpointOf, QuietSocket } from "./quiet.ts";

const ID = 0x1b;
const SENDERS = 1000;

export const network: Part = {
  name: "network",
  about: "what every datagram costs besides its packet's handler",
  rows: (effort) => callRows(effort, datagrams()),
};

function datagrams(): Record<string, () => unknown> {
  const socket = new QuietSocket();
  const metrics = new MemoryMetrics();
  const udp = new UdpNetwork([socket], metrics);
  let handled = 0;
  udp.handle(ID, () => {
    handled++;
  });
  const endpoint = endpointOf(1);
  const packet = new Uint8Array(1400).fill(ID, 0, 1);
  const unknown = new Uint8Array(100).fill(0xff);
  const drop = dropCounter(metrics, "cryptoData");
  const cache = new EndpointCache();
  const senders = Array.from({ length: SENDERS }, (_, i) => formatAddress(endpointOf(i).address));
  let next = 0;
  return {
    "receive: to the packet's handler": () => {
      udp.receive(packet, endpoint, socket);
      return handled;
    },
    "receive: an unknown packet": () => udp.receive(unknown, endpoint, socket),
    "send: copy 1,400 bytes and hand them over": () => udp.send(endpoint, packet),
    "count a drop": () => drop("forged"),
    [`know one of ${SENDERS.toLocaleString("en")} senders again`]: () =>
      cache.get(senders[next++ % SENDERS] ?? "", 33445),
  };
}
