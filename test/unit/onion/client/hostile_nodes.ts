import { ignoreDrop } from "../../../../src/wire/drop.ts";
import { decodeAnnounceRequest, decodeAnnounceRequestBody } from "../../../../src/wire/onion/announce_request.ts";
import {
  type AnnounceResponseBody,
  encodeAnnounceResponse,
  encodeAnnounceResponseBody,
} from "../../../../src/wire/onion/announce_response.ts";
import { decodeDeliveredRequest } from "../../../../src/wire/onion/onion_request.ts";
import { encodeOnionResponse } from "../../../../src/wire/onion/onion_response.ts";
import { PacketId } from "../../../../src/wire/packet_ids.ts";
import type { Machine } from "./support.ts";

/** Makes a machine answer announce requests with whatever the test wants, and counts the data requests it receives. */
export function corrupt(
  machine: Machine,
  answer: (isStoredSearch: { readonly searchedKey: Uint8Array; readonly pingId: Uint8Array }) => AnnounceResponseBody,
): { data: number; asked: number } {
  const seen = { data: 0, asked: 0 };
  const { network, crypto, dht } = machine;
  network.handle(PacketId.OnionDataRequest, () => {
    seen.data++;
  });
  network.handle(PacketId.AnnounceRequest, (packet, from) => {
    const delivered = decodeDeliveredRequest(packet, ignoreDrop);
    const request = delivered && decodeAnnounceRequest(delivered.request, ignoreDrop);
    const key = request && dht.sharedKeys.get(request.publicKey);
    const plain = key && crypto.open(request.box, request.nonce, key);
    const body = plain && decodeAnnounceRequestBody(plain, ignoreDrop);
    if (!body || !delivered || !key) return;
    seen.asked++;
    const response = new Uint8Array(512);
    const length = encodeAnnounceResponseBody(response, answer(body), false);
    const nonce = crypto.nonce();
    const box = crypto.seal(response.subarray(0, length), nonce, key);
    const inner = new Uint8Array(1024);
    const innerLength = encodeAnnounceResponse(inner, { group: false, sendbackData: body.sendbackData, nonce, box });
    const data = inner.subarray(0, innerLength);
    const outer = new Uint8Array(1400);
    const end = encodeOnionResponse(outer, { depth: 3, sendback: delivered.sendback, data });
    network.send(from, outer.subarray(0, end));
  });
  return seen;
}
