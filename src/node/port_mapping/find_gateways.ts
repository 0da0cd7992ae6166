import { networkInterfaces } from "node:os";
import type { Random } from "../../env/random.ts";
import { defaultRouter } from "./default_router.ts";
import type { Gateway } from "./gateway.ts";
import { openIgd } from "./igd.ts";
import { findPmpGateway } from "./pmp_gateway.ts";
import { searchGateways } from "./ssdp.ts";

/** Networks to search in, where the router is not known. */
const MAX_ADDRESSES = 4;

/** What can be asked for ports, the best first. Each belongs to whoever takes it. Never rejects: what fails is told. */
export async function* findGateways(
  { address, random }: { readonly address?: string | undefined; readonly random: Random },
  signal: AbortSignal,
  onFailure: (reason: unknown) => void,
): AsyncGenerator<Gateway> {
  const router = await defaultRouter();
  if (router !== undefined) {
    const options = { router, random, ...(address !== undefined && { address }) };
    const gateway = await findPmpGateway(options, signal).catch(onFailure);
    if (gateway !== undefined) yield gateway;
  }
  const addresses = address === undefined ? addressesTowards(router) : [address];
  for (const local of addresses) {
    try {
      for await (const location of searchGateways({ address: local, router }, signal)) {
        const gateway = await openIgd({ location, address: local, random }, signal).catch(onFailure);
        if (gateway !== undefined) yield gateway;
      }
    } catch (error) {
      onFailure(error);
    }
  }
}

/** Our IPv4 addresses in the router's network; without a router, those in any. */
function addressesTowards(router: string | undefined): string[] {
  const all = Object.values(networkInterfaces()).flatMap((some) => some ?? []);
  const usable = all.filter(({ family, internal }) => family === "IPv4" && !internal);
  const near = usable.filter(({ address, netmask }) => router !== undefined && sameNetwork(address, router, netmask));
  return (near.length > 0 ? near : usable).slice(0, MAX_ADDRESSES).map(({ address }) => address);
}

function sameNetwork(one: string, other: string, netmask: string): boolean {
  const [a, b, mask] = [one, other, netmask].map((text) => text.split(".").map(Number));
  return mask?.every((bits, i) => ((a?.[i] ?? 0) & bits) === ((b?.[i] ?? 0) & bits)) ?? false;
}
