/** First byte of the data in a session. c-toxcore `net_crypto.h`, spec.md "Packet numbers". */
export const SessionPacketId = {
  /** Not a packet: padding before the id. */
  Padding: 0,
  Request: 1,
  Kill: 2,
} as const;

/** 3 to 15 belong to the session itself; we keep them for extensions, toxcore drops them. */
export const FIRST_LOSSLESS_ID = 16;
export const LAST_LOSSLESS_ID = 191;
export const FIRST_LOSSY_ID = 192;
/** 255 is no packet, against the spec. */
export const LAST_LOSSY_ID = 254;

export const isLosslessId = (id: number): boolean => id >= FIRST_LOSSLESS_ID && id <= LAST_LOSSLESS_ID;
export const isLossyId = (id: number): boolean => id >= FIRST_LOSSY_ID && id <= LAST_LOSSY_ID;
