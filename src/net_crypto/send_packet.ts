import type { UdpNetwork } from "../network/udp_network.ts";
import { encodeCryptoDataPlain } from "../wire/net_crypto/crypto_data.ts";
import type { DataChannel } from "./data_channel.ts";
import type { Path } from "./paths.ts";

export interface PacketPort {
  readonly network: UdpNetwork;
  /** For one plain at a time, before it is sealed. */
  readonly plainScratch: Uint8Array;
  /** For one packet to a relay at a time, which copies it. */
  readonly relayScratch: Uint8Array;
}

/** Seals a data packet and sends it by a path: over UDP straight from the socket's own buffer. False when it cannot leave. */
export function sendDataPacket(
  port: PacketPort,
  channel: DataChannel,
  path: Pick<Path, "endpoint" | "socket"> & Partial<Pick<Path, "relay">>,
  bufferStart: number,
  number: number,
  data: Uint8Array,
): boolean {
  const { network, plainScratch, relayScratch } = port;
  const plain = plainScratch.subarray(0, encodeCryptoDataPlain(plainScratch, bufferStart, number, data));
  if (path.relay !== undefined) {
    return path.relay.send(relayScratch.subarray(0, channel.seal(relayScratch, plain)));
  }
  const { endpoint } = path;
  const socket = path.socket ?? (endpoint && network.socketFor(endpoint));
  if (endpoint === undefined || socket === undefined) return false;
  const buffer = socket.acquire();
  return network.sendBuffer(socket, buffer, channel.seal(buffer, plain), endpoint);
}

/** Sends a packet that is no data packet by a path. */
export function sendPlainPacket(port: PacketPort, path: Path, packet: Uint8Array): void {
  if (path.relay !== undefined) path.relay.send(packet);
  else if (path.endpoint !== undefined) port.network.send(path.endpoint, packet, path.socket);
}
