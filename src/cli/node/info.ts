import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import {
  BOOTSTRAP_INFO_REQUEST_SIZE,
  decodeBootstrapInfoResponse,
  encodeBootstrapInfoRequest,
  ToxError,
} from "../../index.ts";

/** Asks any node for its version and message of the day. Rejects with `host-not-found` or `connection-failed`. */
export async function askNodeInfo(
  host: string,
  port: number,
  timeoutMs = 5000,
): Promise<{ readonly version: number; readonly motd: string }> {
  const found = await lookup(host).catch(() => {
    throw new ToxError("host-not-found", `There is no address for ${host}.`);
  });
  const socket = createSocket(found.family === 6 ? "udp6" : "udp4");
  const request = new Uint8Array(BOOTSTRAP_INFO_REQUEST_SIZE);
  encodeBootstrapInfoRequest(request);
  const { promise, resolve, reject } = Promise.withResolvers<{ version: number; motd: string }>();
  const silent = () => reject(new ToxError("connection-failed", `${host}:${port} does not answer over UDP.`));
  socket.on("error", (error) => reject(new ToxError("connection-failed", `${host}:${port}: ${error.message}.`)));
  socket.on("message", (packet) => {
    const info = decodeBootstrapInfoResponse(packet, () => undefined);
    if (info === undefined) return;
    const end = info.motd.indexOf(0);
    const motd = end < 0 ? info.motd : info.motd.subarray(0, end);
    resolve({ version: info.version, motd: new TextDecoder().decode(motd) });
  });
  // Connected: only who was asked is heard.
  let again: NodeJS.Timeout | undefined;
  const ask = () => socket.send(request, () => {});
  // The callback has the error that there was, if any, though Node's types do not say so.
  socket.connect(port, found.address, (error?: Error) => {
    if (error) return void reject(new ToxError("connection-failed", `${host}:${port}: ${error.message}.`));
    ask();
    again = setInterval(ask, 500);
  });
  const timer = setTimeout(silent, timeoutMs);
  try {
    return await promise;
  } finally {
    clearInterval(again);
    clearTimeout(timer);
    socket.close();
  }
}

/** 1000002018 is toxcore's 0.2.18. */
export function versionText(version: number): string {
  if (version < 1_000_000_000 || version >= 2_000_000_000) return String(version);
  const rest = version - 1_000_000_000;
  return `${Math.floor(rest / 1e6)}.${Math.floor(rest / 1000) % 1000}.${rest % 1000}`;
}
