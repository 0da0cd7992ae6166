import type { PublicKey } from "../crypto/keys.ts";
import type { Clock } from "../env/clock.ts";
import type { Metrics } from "../env/metrics.ts";
import { dropCounter } from "../network/drop_counter.ts";
import { TokenBucket } from "../util/token_bucket.ts";
import { DhtRequestId } from "../wire/dht/dht_request.ts";
import { decodeNatPing, encodeNatPing, NAT_PING_SIZE } from "../wire/dht/nat_ping.ts";
import type { DhtRequests } from "./dht_requests.ts";

/** Answers at once, and ms an answer in the long run: each goes out over up to eight nodes, and a request can be played again. */
const BURST = 16;
const INTERVAL = 250;

/** Answers a friend who asks whether we punch too; anybody else is not answered. c-toxcore `DHT.c` (handle_nat_ping). */
export function answerNatPings(
  requests: DhtRequests,
  clock: Clock,
  metrics: Metrics,
  isSearched: (publicKey: PublicKey) => boolean,
  send: (target: PublicKey, id: number, payload: Uint8Array) => number,
): void {
  const drop = dropCounter(metrics, "natPing");
  const bucket = new TokenBucket(BURST, INTERVAL);
  requests.onRequest(DhtRequestId.NatPing, (sender, payload): undefined => {
    const ping = decodeNatPing(payload, drop);
    if (ping === undefined) return;
    if (!isSearched(sender)) return drop("wrong-key");
    if (ping.kind === "response") return drop("unsolicited");
    if (!bucket.take(clock.monotonic())) return drop("rate-limited");
    const response = new Uint8Array(NAT_PING_SIZE);
    encodeNatPing(response, { kind: "response", pingId: ping.pingId });
    send(sender, DhtRequestId.NatPing, response);
  });
}
