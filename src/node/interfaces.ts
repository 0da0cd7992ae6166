import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import type { IpFamily } from "../env/datagram.ts";
import type { Interfaces } from "../env/interfaces.ts";
import { formatAddress, parseAddress } from "../util/endpoint.ts";
import { endpointOf } from "./endpoint_cache.ts";

/** As `node:os` tells of them. */
export type InterfaceTable = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** LAN_discovery.c MAX_INTERFACES: machines full of containers have hundreds. */
const MAX_INTERFACES = 16;
/** Node tells nobody when a network comes or goes: it is asked this often, in ms, while somebody wants to know. */
const LOOK_INTERVAL = 2_000;

/** The system's table; an empty one where a sandbox does not let us look. */
export function interfaceTable(): InterfaceTable {
  try {
    return networkInterfaces();
  } catch {
    return {};
  }
}

/** The machine's network interfaces. */
export const nodeInterfaces: Interfaces = {
  neighbours: (family, port) =>
    neighbourTexts(family, interfaceTable()).flatMap((text) => endpointOf(text, port) ?? []),

  onChange(listener) {
    let known = signature();
    const timer = setInterval(() => {
      const now = signature();
      if (now === known) return;
      known = now;
      listener();
    }, LOOK_INTERVAL).unref();
    return () => clearInterval(timer);
  },
};

/** The addresses that reach everybody near, as Node takes them. */
export function neighbourTexts(family: IpFamily, table: InterfaceTable, platform = process.platform): string[] {
  const texts = new Set<string>(); // bounded by MAX_INTERFACES
  for (const [name, addresses = []] of Object.entries(table)) {
    for (const address of addresses) {
      if (texts.size >= MAX_INTERFACES) break;
      const text = family === 4 ? ipv4Text(address) : ipv6Text(name, address, platform);
      if (text !== undefined) texts.add(text);
    }
  }
  // Where an interface's own broadcast address is filtered, this one may pass; it takes the default route's interface.
  if (family === 4 && [...texts].some((text) => !text.startsWith("127."))) texts.add("255.255.255.255");
  return [...texts];
}

/** The last address of its network; of loopback, the address itself. */
function ipv4Text(info: NetworkInterfaceInfo): string | undefined {
  if (info.family !== "IPv4") return undefined;
  if (info.internal) return info.address;
  const [address, mask] = [parseAddress(info.address), parseAddress(info.netmask)];
  if (address?.length !== 4 || mask?.length !== 4) return undefined;
  const broadcast = address.map((byte, i) => byte | (~(mask[i] ?? 0) & 0xff));
  const hasOwn = (mask[3] ?? 0) < 0xfe; // a link between two has none
  return hasOwn ? formatAddress(broadcast) : undefined;
}

/** All nodes of the link (RFC 4291), through this very interface; Windows knows them by number. */
function ipv6Text(name: string, info: NetworkInterfaceInfo, platform: NodeJS.Platform): string | undefined {
  if (info.family !== "IPv6") return undefined;
  if (info.internal) return info.address === "::1" ? info.address : undefined;
  if (!info.address.toLowerCase().startsWith("fe80:")) return undefined;
  return `ff02::1%${platform === "win32" ? info.scopeid : name}`;
}

function signature(): string {
  return JSON.stringify(Object.entries(interfaceTable()).map(([name, all]) => [name, all?.map(({ cidr }) => cidr)]));
}
