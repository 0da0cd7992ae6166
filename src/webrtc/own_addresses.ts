import { createSocket } from "node:dgram";
import { isIPv4 } from "node:net";
import { ToxError } from "../index.ts";

/**
 * Rejects with `invalid-argument` where a page could not find us. werift waits for ever for a socket on an address that this machine has
 * not, or no longer, and nobody catches its error.
 */
export async function expectOwnAddresses(addresses: readonly string[]): Promise<void> {
  const [first] = addresses;
  if (first === undefined || !addresses.every((address) => isIPv4(address)))
    throw refused("one at least, each as four numbers");
  if (addresses.length === 1 && !(await canBind(first))) throw refused(`this machine has no ${first}`);
}

function canBind(address: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = createSocket("udp4");
  socket.on("error", () => {
    socket.close();
    resolve(false);
  });
  socket.bind({ address, port: 0 }, () => socket.close(() => resolve(true)));
  return promise;
}

function refused(why: string): ToxError {
  return new ToxError("invalid-argument", `Pass IPv4 addresses of this machine, where the page finds it: ${why}.`);
}
