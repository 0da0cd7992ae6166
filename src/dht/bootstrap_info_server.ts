import type { Metrics } from "../env/metrics.ts";
import { dropCounter } from "../network/drop_counter.ts";
import type { UdpNetwork } from "../network/udp_network.ts";
import { utf8 } from "../util/text.ts";
import { decodeBootstrapInfoRequest, encodeBootstrapInfoResponse, MAX_MOTD_SIZE } from "../wire/dht/bootstrap_info.ts";
import { PacketId } from "../wire/packet_ids.ts";

/** What a bootstrap daemon tells about itself. */
export interface BootstrapInfo {
  readonly version: number;
  /** Message of the day, cut to 255 bytes of UTF-8. */
  readonly motd: string;
}

/** Answers BootstrapInfo requests, as bootstrap daemons do and clients do not. */
export function answerBootstrapInfo(network: UdpNetwork, metrics: Metrics, info: BootstrapInfo): void {
  const drop = dropCounter(metrics, "bootstrapInfo");
  const motd = new Uint8Array(MAX_MOTD_SIZE);
  const written = cutInto(motd.subarray(0, MAX_MOTD_SIZE - 1), info.motd);
  const response = new Uint8Array(5 + MAX_MOTD_SIZE);
  const length = encodeBootstrapInfoResponse(response, { version: info.version, motd: motd.subarray(0, written + 1) });
  network.handle(PacketId.BootstrapInfo, (packet, from, via) => {
    if (decodeBootstrapInfoRequest(packet, drop) === undefined) return;
    metrics.count("dht.bootstrapInfo.received");
    network.send(from, response.subarray(0, length), via);
  });
}

/** Copies whole characters only, and answers how many bytes. */
function cutInto(into: Uint8Array, text: string): number {
  let written = 0;
  for (const character of text) {
    const bytes = utf8(character);
    if (written + bytes.length > into.length) break;
    into.set(bytes, written);
    written += bytes.length;
  }
  return written;
}
