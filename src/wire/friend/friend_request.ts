/**
 * A friend request: what stands behind the id both in onion data (id 32) and in a session (id 18). c-toxcore
 * `friend_connection.c` (send_friend_request_packet), `friend_requests.c`.
 *
 *   4  nospam of the one who is asked
 *   *  message, not empty
 */
import { readU32, writeU32 } from "../../util/bytes.ts";
import type { Drop } from "../drop.ts";
import { FriendPacketId } from "./packet_ids.ts";

/** The longest message that every version delivers through the onion. */
export const MAX_REQUEST_MESSAGE_SIZE = 921;

export interface FriendRequestData {
  readonly nospam: number;
  /** A view of the packet. */
  readonly message: Uint8Array;
}

export function encodeFriendRequestData(request: FriendRequestData): Uint8Array {
  const data = new Uint8Array(4 + request.message.length);
  writeU32(data, 0, request.nospam);
  data.set(request.message, 4);
  return data;
}

/** Takes what fits, longer messages than ours too: 0.2.18 sends up to 1016 bytes. */
export function decodeFriendRequestData(data: Uint8Array, drop: Drop): FriendRequestData | undefined {
  if (data.length <= 4) return drop("truncated");
  return { nospam: readU32(data, 0), message: data.subarray(4) };
}

/** The request as a packet of a session. */
export function friendRequestPacket(data: Uint8Array): Uint8Array {
  const packet = new Uint8Array(1 + data.length);
  packet[0] = FriendPacketId.FriendRequest;
  packet.set(data, 1);
  return packet;
}
