import type { Crypto } from "../crypto/crypto.ts";
import type { Clock } from "../env/clock.ts";
import type { Endpoint } from "../env/datagram.ts";
import type { Logger } from "../env/logger.ts";
import type { Metrics } from "../env/metrics.ts";
import type { Cookies } from "./cookies.ts";
import type { SessionKeys } from "./ports.ts";
import type { ReceiveBudget } from "./receive_budget.ts";
import type { PacketPort } from "./send_packet.ts";

/** What sessions share, and where they tell what concerns others. `S` is the session. */
export interface SessionHost<S> extends PacketPort {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly keys: SessionKeys;
  readonly cookies: Cookies;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly receiveBudget: ReceiveBudget;
  /** For one request packet at a time. */
  readonly requestScratch: Uint8Array;
  /** Packets from this endpoint are shown to this session. */
  bind(endpoint: Endpoint, session: S): void;
  unbind(endpoint: Endpoint, session: S): void;
  /** The session is over. */
  forget(session: S): void;
}
