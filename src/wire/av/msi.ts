/**
 * Signals of a call, lossless packet 69: fields of id u8 ‖ length u8 ‖ value, ended by a 0. Each known value is one byte.
 * c-toxcore `toxav/msi.c` (msg_parse_in, send_message); the specification is silent.
 *
 *   1 request       0 init, 1 push, 2 pop; always there
 *   2 error         1 to 7, with a pop
 *   3 capabilities  with init and push
 */
import type { Drop } from "../drop.ts";
import { FriendPacketId } from "../friend/packet_ids.ts";

/** `init` calls, `push` answers or changes capabilities, `pop` ends: reject, cancel, hang up, or an error. */
export type MsiRequest = "init" | "push" | "pop";

/** Why a call cannot go on, as toxcore names it. */
export type MsiError =
  | "none"
  | "invalid-message"
  | "invalid-param"
  | "invalid-state"
  | "stray-message"
  | "system"
  | "handle"
  | "undisclosed";

/** What one side sends and takes at the moment. */
export const MsiCapability = { SendAudio: 4, SendVideo: 8, ReceiveAudio: 16, ReceiveVideo: 32 } as const;

export interface MsiMessage {
  readonly request: MsiRequest;
  readonly error?: MsiError;
  /** Bits of `MsiCapability`; others are passed on as they came. */
  readonly capabilities?: number;
}

const REQUESTS: readonly MsiRequest[] = ["init", "push", "pop"];
const ERRORS: readonly MsiError[] = [
  ...(["none", "invalid-message", "invalid-param", "invalid-state"] as const),
  ...(["stray-message", "system", "handle", "undisclosed"] as const),
];
const ID_REQUEST = 1;
const ID_ERROR = 2;
const ID_CAPABILITIES = 3;
const FIELD_SIZE = 3;

export function encodeMsi({ request, error, capabilities }: MsiMessage): Uint8Array {
  const packet = [FriendPacketId.Msi, ID_REQUEST, 1, REQUESTS.indexOf(request)];
  if (error !== undefined) packet.push(ID_ERROR, 1, ERRORS.indexOf(error));
  if (capabilities !== undefined) packet.push(ID_CAPABILITIES, 1, capabilities);
  packet.push(0);
  return Uint8Array.from(packet);
}

/** A field that comes twice counts as it came last, as in toxcore. */
export function decodeMsi(packet: Uint8Array, drop: Drop): MsiMessage | undefined {
  if (packet[0] !== FriendPacketId.Msi) return drop("unknown-id");
  if (packet.length < 2) return drop("truncated");
  if (packet[packet.length - 1] !== 0) return drop("malformed");
  let request: MsiRequest | undefined;
  let error: MsiError | undefined;
  let capabilities: number | undefined;
  let at = 1;
  for (; packet[at] !== 0; at += FIELD_SIZE) {
    if (at + FIELD_SIZE >= packet.length) return drop("truncated");
    if (packet[at + 1] !== 1) return drop("malformed");
    const value = packet[at + 2] ?? 0;
    if (packet[at] === ID_REQUEST) {
      request = REQUESTS[value];
      if (request === undefined) return drop("malformed");
    } else if (packet[at] === ID_ERROR) {
      error = ERRORS[value];
      if (error === undefined) return drop("malformed");
    } else if (packet[at] === ID_CAPABILITIES) {
      capabilities = value;
    } else {
      return drop("malformed");
    }
  }
  if (request === undefined || at !== packet.length - 1) return drop("malformed");
  return { request, ...(error !== undefined && { error }), ...(capabilities !== undefined && { capabilities }) };
}
