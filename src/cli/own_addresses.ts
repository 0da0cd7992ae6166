import { networkInterfaces } from "node:os";

/** The machine's addresses as `--bootstrap` takes them, loopback last; IPv6 ones only when asked for. */
export function ownAddresses(ipv6: boolean): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const text = (family: string, address: string) => (family === "IPv6" ? `[${address}]` : address);
  return addresses
    .filter(({ family, address }) => family === "IPv4" || (ipv6 && !isLinkLocal(address)))
    .sort((a, b) => Number(a.internal) - Number(b.internal))
    .map(({ family, address }) => text(family, address));
}

/** Such an address needs a zone, which means nothing elsewhere. */
function isLinkLocal(address: string): boolean {
  return address.startsWith("fe80:");
}
