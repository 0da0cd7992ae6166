import type { Metrics } from "../env/metrics.ts";
import type { Drop, DropReason } from "../wire/drop.ts";

/** A `Drop` that counts `drop.<packet>.<reason>`; names are made once, not a packet. */
export function dropCounter(metrics: Metrics, packet: string): Drop {
  const names = new Map<DropReason, string>(); // bounded by the reasons there are
  return (reason) => {
    let name = names.get(reason);
    if (name === undefined) {
      name = `drop.${packet}.${reason}`;
      names.set(reason, name);
    }
    metrics.count(name);
    return undefined;
  };
}
