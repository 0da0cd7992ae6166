/** Numbers that toxcore's net_crypto and ours must agree on, or that bound what a session may grow to. `net_crypto.c`, `net_crypto.h`. */

/** Packets that may be under way in each direction: toxcore's CRYPTO_PACKET_BUFFER_SIZE. */
export const PACKET_WINDOW = 32768;
/** Cookie requests, and then handshakes, before we give up. */
export const MAX_OPENING_TRIES = 8;
/** Between two of them, in ms. */
export const OPENING_INTERVAL = 1000;
/** The first repetition comes sooner: who lost one packet should not wait a second. Well below what 0.2.22 peers allow. */
export const FIRST_OPENING_INTERVAL = 250;
/** A handshake that comes again sooner than this after our answer is not answered anew. */
export const SHORTEST_REPETITION = 100;
/** How long a cookie holds, in ms. */
export const COOKIE_LIFETIME = 15_000;
/** At least so often, in ms, a session says that it lives and what it misses. */
export const REQUEST_INTERVAL = 1000;
/**
 * A path on which nothing was heard for so long, in ms, is silent: others are tried beside it. One packet of those that come
 * each second may be late or lost; and who falls back to a relay should have done so within two seconds.
 */
export const PATH_SILENT_AFTER = 1500;
/** Paths of one session: its addresses as the DHT finds them. The oldest silent one gives way. */
export const MAX_PATHS = 8;
/** A data packet this far ahead of the base nonce moves it on by a third of what 16 bits tell apart. */
export const NONCE_STEP = 21845;
