/**
 * Finds gateways in the local network: an SSDP search (UPnP Device Architecture 1.1, 1.3) from a socket of its own to
 * 239.255.255.250:1900, answered to it alone. Nothing is listened to on port 1900.
 */
import { createSocket, type Socket } from "node:dgram";

const GROUP = "239.255.255.250";
const PORT = 1900;
const TARGETS = [1, 2].map((version) => `urn:schemas-upnp-org:device:InternetGatewayDevice:${version}`);
/** When the question is sent, and how long answers are taken, in ms. Devices wait up to MX seconds, 1 here. */
const SENT_AT = [0, 400, 1_000];
const PATIENCE_MS = 2_600;
/** Of a router, over all the devices that it is. */
const MAX_FOUND = 4;
const MAX_ANSWER_SIZE = 2_048;

export interface SsdpOptions {
  /** The local address to ask from. */
  readonly address: string;
  /** Whether answers from this address count. */
  readonly isRouter: (address: string) => boolean;
}

/** The addresses of descriptions, as they are told; each at the address that told it. Ends when no more come. */
export async function* searchGateways({ address, isRouter }: SsdpOptions, signal: AbortSignal): AsyncGenerator<URL> {
  const socket = createSocket("udp4");
  const found: URL[] = []; // bounded by MAX_FOUND
  let over = false;
  let wake = Promise.withResolvers<void>();
  const end = () => {
    over = true;
    wake.resolve();
  };
  signal.addEventListener("abort", end);
  socket.on("error", end);
  socket.on("message", (bytes, from) => {
    const location = locationIn(bytes, from.address);
    if (location === undefined || found.length === MAX_FOUND || !isRouter(from.address)) return;
    if (found.some(({ href }) => href === location.href)) return;
    found.push(location);
    wake.resolve();
  });
  const timers = [setTimeout(end, PATIENCE_MS)];
  try {
    await bound(socket, address);
    socket.setMulticastInterface(address);
    socket.setMulticastTTL(2);
    for (const at of SENT_AT) timers.push(setTimeout(() => sendAll(socket), at));
    for (let next = 0; ; ) {
      const location = found[next];
      if (location !== undefined) {
        next++;
        yield location;
      } else {
        if (over || signal.aborted || next === MAX_FOUND) return;
        await wake.promise;
        wake = Promise.withResolvers();
      }
    }
  } finally {
    for (const timer of timers) clearTimeout(timer);
    signal.removeEventListener("abort", end);
    socket.close();
  }
}

/** The LOCATION of an answer to our search, if it is at the address that the answer came from. */
export function locationIn(bytes: Uint8Array, from: string): URL | undefined {
  if (bytes.length > MAX_ANSWER_SIZE) return undefined;
  const [status = "", ...headers] = Buffer.from(bytes).toString("latin1").split("\r\n");
  if (!/^HTTP\/1\.[01] 200/.test(status)) return undefined;
  const header = (name: string) =>
    headers
      .find((line) => line.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim();
  if (!TARGETS.includes(header("st") ?? "")) return undefined;
  const url = URL.parse(header("location") ?? "");
  return url?.protocol === "http:" && url.hostname === from && url.username === "" ? url : undefined;
}

function bound(socket: Socket, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ port: 0, address }, () => {
      socket.off("error", reject);
      resolve();
    });
  });
}

function sendAll(socket: Socket): void {
  for (const target of TARGETS) {
    const lines = ["M-SEARCH * HTTP/1.1", `HOST: ${GROUP}:${PORT}`, 'MAN: "ssdp:discover"', "MX: 1", `ST: ${target}`];
    socket.send([...lines, "", ""].join("\r\n"), PORT, GROUP, () => {}); // what is lost is sent again
  }
}
