import { readFileSync } from "node:fs";
import type { Datagrams } from "./peer.ts";

/** What the kernel has counted in our network namespace, over IPv4. */
export function countedDatagrams(): Datagrams {
  const [names = [], values = []] = readFileSync("/proc/self/net/snmp", "utf8")
    .split("\n")
    .filter((line) => line.startsWith("Udp:"))
    .map((line) => line.split(" "));
  const counter = (name: string) => Number(values[names.indexOf(name)]);
  return { received: counter("InDatagrams"), sent: counter("OutDatagrams") };
}
