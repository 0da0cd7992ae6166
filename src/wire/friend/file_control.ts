/**
 * What one side of a transfer tells the other. c-toxcore `Messenger.c` (send_file_control_packet, handle_filecontrol).
 *
 *   1  81
 *   1  0: the writer sends the file; 1: he receives it
 *   1  slot
 *   1  0 accept or resume, 1 pause, 2 kill, 3 seek
 *   8  position, with seek only
 */
import { readU64, writeU64 } from "../../util/bytes.ts";
import type { Drop } from "../drop.ts";
import { FriendPacketId } from "./packet_ids.ts";

export type FileControlKind = "accept" | "pause" | "kill" | "seek";

const KINDS: readonly FileControlKind[] = ["accept", "pause", "kill", "seek"];
const SIZE = 4;
const SEEK_SIZE = SIZE + 8;

export interface FileControl {
  /** Whether the one who wrote this is the receiver of the file. */
  readonly byReceiver: boolean;
  readonly slot: number;
  readonly control: FileControlKind;
  /** Of a seek: where the receiver wants the file from. 0 for the others. */
  readonly position: bigint;
}

export function encodeFileControl({ byReceiver, slot, control, position }: FileControl): Uint8Array {
  const packet = new Uint8Array(control === "seek" ? SEEK_SIZE : SIZE);
  packet[0] = FriendPacketId.FileControl;
  packet[1] = byReceiver ? 1 : 0;
  packet[2] = slot;
  packet[3] = KINDS.indexOf(control);
  if (control === "seek") writeU64(packet, SIZE, position);
  return packet;
}

export function decodeFileControl(packet: Uint8Array, drop: Drop): FileControl | undefined {
  if (packet[0] !== FriendPacketId.FileControl) return drop("unknown-id");
  if (packet.length < SIZE) return drop("truncated");
  const control = KINDS[packet[3] ?? 0];
  const side = packet[1] ?? 0;
  if (control === undefined || side > 1) return drop("malformed");
  const size = control === "seek" ? SEEK_SIZE : SIZE;
  if (packet.length < size) return drop("truncated");
  if (packet.length > size) return drop("oversized");
  const position = control === "seek" ? readU64(packet, SIZE) : 0n;
  return { byReceiver: side === 1, slot: packet[2] ?? 0, control, position };
}
