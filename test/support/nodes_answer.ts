import type { Crypto } from "../../src/crypto/crypto.ts";
import type { PublicKey, SecretKey } from "../../src/crypto/keys.ts";
import { decodeDhtPacket } from "../../src/wire/dht/dht_packet.ts";
import { decodeNodesResponsePayload } from "../../src/wire/dht/nodes_response.ts";
import { ignoreDrop } from "../../src/wire/drop.ts";
import type { PackedNode } from "../../src/wire/packed_node.ts";
import { PacketId } from "../../src/wire/packet_ids.ts";

export interface NodesAnswer {
  readonly sender: PublicKey;
  readonly sendback: bigint;
  readonly nodes: readonly PackedNode[];
}

/** What a nodes response to the owner of `secretKey` says; undefined for any other packet. Holds nothing of `bytes`. */
export function readNodesAnswer(crypto: Crypto, secretKey: SecretKey, bytes: Uint8Array): NodesAnswer | undefined {
  const packet = decodeDhtPacket(bytes.slice(), ignoreDrop);
  if (packet?.id !== PacketId.NodesResponse) return undefined;
  const shared = crypto.sharedKey(packet.sender, secretKey);
  const plain = shared && crypto.open(packet.box, packet.nonce, shared);
  const answer = plain && decodeNodesResponsePayload(plain, ignoreDrop);
  return answer && { sender: packet.sender, sendback: answer.sendback, nodes: answer.nodes };
}
