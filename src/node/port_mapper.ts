import type { Clock } from "../env/clock.ts";
import type { Logger } from "../env/logger.ts";
import type { Metrics } from "../env/metrics.ts";
import type { PortMapper } from "../env/port_mapper.ts";
import type { Random } from "../env/random.ts";
import { nodeInterfaces } from "./interfaces.ts";
import { RenewedMapping } from "./port_mapping/renewed_mapping.ts";

export interface NodePortMapperOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Asks the router with PCP, NAT-PMP or UPnP. What speaks them is loaded when it is first needed. */
export function nodePortMapper({ random, ...options }: NodePortMapperOptions): PortMapper {
  return {
    open: ({ address } = {}) =>
      new RenewedMapping({
        ...options,
        interfaces: nodeInterfaces,
        async *gateways(signal, onFailure) {
          const { findGateways } = await import("./port_mapping/find_gateways.ts");
          yield* findGateways({ address, random }, signal, onFailure);
        },
      }),
  };
}
