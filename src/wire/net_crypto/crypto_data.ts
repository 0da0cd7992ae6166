/**
 * CryptoData (0x1b): everything in a session. spec.md "Encrypted packets", c-toxcore `net_crypto.c`
 * (send_data_packet_helper, handle_data_packet_core).
 *
 *   1     0x1b                                    plain, at least 9 bytes:
 *   2     last two bytes of the nonce             4    sender's receive buffer_start: all numbers below have arrived
 *   17+   box of the plain, under the             4    packet number of a lossless packet; in request, kill and lossy
 *         session keys                                 packets the sender's own buffer_end
 *                                                 0–7  zeros, so that the packet's length tells less
 *                                                 1+   data, of which the first byte is the id
 */
import { MAC_SIZE } from "../../crypto/keys.ts";
import { readU16, readU32, writeU16, writeU32 } from "../../util/bytes.ts";
import type { Drop } from "../drop.ts";
import { PacketId } from "../packet_ids.ts";

/** toxcore's MAX_CRYPTO_PACKET_SIZE. */
export const MAX_CRYPTO_DATA_PACKET_SIZE = 1400;
/** Where the box begins. */
export const CRYPTO_DATA_BOX_AT = 3;
/** Where padding and data begin in the plain. */
export const CRYPTO_DATA_PLAIN_HEADER_SIZE = 8;
const OVERHEAD = CRYPTO_DATA_BOX_AT + MAC_SIZE;
/** The longest data with its id: 1373. toxcore's MAX_CRYPTO_DATA_SIZE. */
export const MAX_SESSION_DATA_SIZE = MAX_CRYPTO_DATA_PACKET_SIZE - OVERHEAD - CRYPTO_DATA_PLAIN_HEADER_SIZE;
/** The longest plain: 1381. */
export const MAX_CRYPTO_DATA_PLAIN_SIZE = MAX_CRYPTO_DATA_PACKET_SIZE - OVERHEAD;
const PADDING_STEP = 8;

/** Whether a datagram can be a data packet: of the right length, and with one byte of data at least. */
export function checkCryptoDataSize(packet: Uint8Array, drop: Drop): true | undefined {
  if (packet.length <= OVERHEAD + CRYPTO_DATA_PLAIN_HEADER_SIZE) return drop("truncated");
  if (packet.length > MAX_CRYPTO_DATA_PACKET_SIZE) return drop("oversized");
  return true;
}

export const cryptoDataNonceTail = (packet: Uint8Array): number => readU16(packet, 1);
/** How long the plain is in a packet of this length. */
export const cryptoDataPlainSize = (packetSize: number): number => packetSize - OVERHEAD;
/** How long a packet with a plain of this length is. */
export const cryptoDataPacketSize = (plainSize: number): number => plainSize + OVERHEAD;

/** Writes what stands before the box. */
export function encodeCryptoDataHeader(into: Uint8Array, nonceTail: number): void {
  into[0] = PacketId.CryptoData;
  writeU16(into, 1, nonceTail);
}

/** Writes the plain, padded as toxcore pads, and answers its length. */
export function encodeCryptoDataPlain(
  into: Uint8Array,
  bufferStart: number,
  packetNumber: number,
  data: Uint8Array,
): number {
  writeU32(into, 0, bufferStart);
  writeU32(into, 4, packetNumber);
  const dataAt = CRYPTO_DATA_PLAIN_HEADER_SIZE + ((MAX_SESSION_DATA_SIZE - data.length) % PADDING_STEP);
  for (let at = CRYPTO_DATA_PLAIN_HEADER_SIZE; at < dataAt; at++) into[at] = 0;
  into.set(data, dataAt);
  return dataAt + data.length;
}

export const plainBufferStart = (plain: Uint8Array): number => readU32(plain, 0);
export const plainPacketNumber = (plain: Uint8Array): number => readU32(plain, 4);

/** Where the id stands behind the padding; `size` when there is none. */
export function plainDataAt(plain: Uint8Array, size: number): number {
  let at = CRYPTO_DATA_PLAIN_HEADER_SIZE;
  while (at < size && plain[at] === 0) at++;
  return at;
}

/** The plain beside the accessors, for tests and tools. */
export interface CryptoDataPlain {
  readonly bufferStart: number;
  readonly packetNumber: number;
  readonly data: Uint8Array;
}

export function decodeCryptoDataPlain(bytes: Uint8Array, drop: Drop): CryptoDataPlain | undefined {
  if (bytes.length <= CRYPTO_DATA_PLAIN_HEADER_SIZE) return drop("truncated");
  if (bytes.length > MAX_CRYPTO_DATA_PLAIN_SIZE) return drop("oversized");
  const dataAt = plainDataAt(bytes, bytes.length);
  if (dataAt === bytes.length || bytes.length - dataAt > MAX_SESSION_DATA_SIZE) return drop("malformed");
  return {
    bufferStart: plainBufferStart(bytes),
    packetNumber: plainPacketNumber(bytes),
    data: bytes.slice(dataAt),
  };
}
