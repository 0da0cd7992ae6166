import { loadCryptoProvider, nodeRandom } from "toxcore-ts/node";
import { Crypto } from "../../../src/crypto/crypto.ts";
import { asPublicKey, type KeyPair, type SharedKey } from "../../../src/crypto/keys.ts";
import { decodeDhtPacket, encodeDhtPacket } from "../../../src/wire/dht/dht_packet.ts";
import {
  encodeNodesRequestPayload,
  NODES_REQUEST_PACKET_SIZE,
  NODES_REQUEST_PAYLOAD_SIZE,
} from "../../../src/wire/dht/nodes_request.ts";
import { decodeNodesResponsePayload } from "../../../src/wire/dht/nodes_response.ts";
import { ignoreDrop } from "../../../src/wire/drop.ts";
import type { PackedNode } from "../../../src/wire/packed_node.ts";
import { PacketId } from "../../../src/wire/packet_ids.ts";

export const crypto = new Crypto(await loadCryptoProvider(), nodeRandom);

/** One who asks a node, and the key that only the two of them have. */
export interface Sender {
  readonly keyPair: KeyPair;
  readonly sharedKey: SharedKey;
}

export function senderTo(node: Uint8Array): Sender {
  const keyPair = crypto.keyPair();
  const sharedKey = crypto.sharedKey(node, keyPair.secretKey);
  if (sharedKey === undefined) throw new Error("that is no node's key");
  return { keyPair, sharedKey };
}

/** A nodes request as it goes over the wire. */
export function sealRequest({ keyPair, sharedKey }: Sender, target: Uint8Array, sendback: bigint): Uint8Array {
  const payload = new Uint8Array(NODES_REQUEST_PAYLOAD_SIZE);
  encodeNodesRequestPayload(payload, { target: asPublicKey(target), sendback });
  const nonce = crypto.nonce();
  const box = crypto.seal(payload, nonce, sharedKey);
  const packet = new Uint8Array(NODES_REQUEST_PACKET_SIZE);
  encodeDhtPacket(packet, { id: PacketId.NodesRequest, sender: keyPair.publicKey, nonce, box });
  return packet;
}

/** The nodes that an answer names, or undefined when it is no answer to this sender's request. */
export function openAnswer(
  bytes: Uint8Array,
  { sharedKey }: Sender,
  sendback: bigint,
): readonly PackedNode[] | undefined {
  const packet = decodeDhtPacket(bytes, ignoreDrop);
  const plain = packet && crypto.open(packet.box, packet.nonce, sharedKey);
  const answer = plain && decodeNodesResponsePayload(plain, ignoreDrop);
  return answer?.sendback === sendback ? answer.nodes : undefined;
}
