import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { endianness } from "node:os";
import { promisify } from "node:util";
import { formatAddress, parseAddress } from "../../util/endpoint.ts";

const RTF_GATEWAY = 0x2;

/** The IPv4 address of the router that leads to the Internet, or undefined. Node does not tell; the system does. */
export async function defaultRouter(platform = process.platform): Promise<string | undefined> {
  try {
    if (platform === "linux" || platform === "android") return routerInProc(await routes());
    const { stdout } = await promisify(execFile)("netstat", ["-rn"], { timeout: 2_000, windowsHide: true });
    return routerInNetstat(stdout);
  } catch {
    return undefined;
  }
}

/** A service that sees only processes in /proc has the first, an old system the second. */
function routes(): Promise<string> {
  return readFile("/proc/self/net/route", "utf8").catch(() => readFile("/proc/net/route", "utf8"));
}

/** Linux: a line a route, addresses as hexadecimal numbers in the machine's byte order. The least metric wins. */
export function routerInProc(text: string, littleEndian = endianness() === "LE"): string | undefined {
  let best: { readonly metric: number; readonly address: string } | undefined;
  for (const line of text.split("\n").slice(1)) {
    const [, destination, gateway = "", flags = "", , , metricText] = line.trim().split(/\s+/);
    if (destination !== "00000000" || !/^[0-9A-F]{8}$/i.test(gateway)) continue;
    if ((Number.parseInt(flags, 16) & RTF_GATEWAY) === 0) continue;
    const bytes = Uint8Array.from(gateway.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    const metric = Number(metricText);
    if (best === undefined || metric < best.metric) {
      best = { metric, address: formatAddress(littleEndian ? bytes.reverse() : bytes) };
    }
  }
  return best?.address;
}

/** macOS and the BSDs: `default 192.168.1.1 …`; Windows: `0.0.0.0 0.0.0.0 192.168.1.1 …`. The first one. */
export function routerInNetstat(text: string): string | undefined {
  for (const line of text.split("\n")) {
    const address = /^\s*(?:default|0\.0\.0\.0\s+0\.0\.0\.0)\s+([\d.]+)\s/.exec(line)?.[1];
    if (address !== undefined && parseAddress(address)?.length === 4) return address;
  }
  return undefined;
}
