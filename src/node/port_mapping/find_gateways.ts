import { setTimeout as pass } from "node:timers/promises";
import type { Random } from "../../env/random.ts";
import { interfaceTable } from "../interfaces.ts";
import { defaultRouter } from "./default_router.ts";
import type { Gateway } from "./gateway.ts";
import { openIgd } from "./igd.ts";
import { findPmpGateway } from "./pmp_gateway.ts";
import { searchGateways } from "./ssdp.ts";

/** A router that speaks PCP or NAT-PMP answers within so many ms, and is then not searched for in other ways. */
const PMP_HEAD_START = 300;
/** Networks to search in, where the router is not known. */
const MAX_ADDRESSES = 4;

/** What can be asked for ports, the best first. Each belongs to whoever takes it. Never rejects: what fails is told. */
export async function* findGateways(
  { address, random }: { readonly address?: string | undefined; readonly random: Random },
  signal: AbortSignal,
  onFailure: (reason: unknown) => undefined,
): AsyncGenerator<Gateway> {
  const router = await defaultRouter();
  const left = new AbortController();
  const find = (router: string) =>
    findPmpGateway(
      { router, random, ...(address !== undefined && { address }) },
      AbortSignal.any([signal, left.signal]),
    ).catch(onFailure);
  let pmp = router === undefined ? undefined : find(router);
  try {
    const first = pmp && (await Promise.race([pmp, pass(PMP_HEAD_START)]));
    if (first) {
      pmp = undefined;
      yield first;
    }
    for (const local of address === undefined ? addressesTowards(router) : [address]) {
      try {
        for await (const location of searchGateways({ address: local, isRouter: routersNear(local, router) }, signal)) {
          const gateway = await openIgd({ location, address: local, random }, signal).catch(onFailure);
          if (gateway) yield gateway;
        }
      } catch (error) {
        onFailure(error);
      }
    }
    const late = await pmp;
    pmp = undefined;
    if (late) yield late;
  } finally {
    left.abort(new Error("another way was found"));
    (await pmp)?.close();
  }
}

/** Our IPv4 addresses in the router's network; without a router, those in any. */
function addressesTowards(router: string | undefined): string[] {
  const all = Object.values(interfaceTable()).flatMap((some) => some ?? []);
  const usable = all.filter(({ family, internal }) => family === "IPv4" && !internal);
  const near = usable.filter(({ address, netmask }) => router !== undefined && sameNetwork(address, router, netmask));
  return (near.length > 0 ? near : usable).slice(0, MAX_ADDRESSES).map(({ address }) => address);
}

/** The router, or where that is not known whoever is in the same network: nobody has us ask strangers. */
function routersNear(local: string, router: string | undefined): (address: string) => boolean {
  if (router !== undefined) return (address) => address === router;
  const all = Object.values(interfaceTable()).flatMap((some) => some ?? []);
  const netmask = all.find(({ address }) => address === local)?.netmask ?? "255.255.255.0";
  return (address) => sameNetwork(address, local, netmask);
}

function sameNetwork(one: string, other: string, netmask: string): boolean {
  const [a, b, mask] = [one, other, netmask].map((text) => text.split(".").map(Number));
  return mask?.every((bits, i) => ((a?.[i] ?? 0) & bits) === ((b?.[i] ?? 0) & bits)) ?? false;
}
