import type { Clock } from "./clock.ts";
import type { DatagramPort } from "./datagram.ts";
import type { FilePort } from "./file.ts";
import type { Interfaces } from "./interfaces.ts";
import type { Logger } from "./logger.ts";
import type { Metrics } from "./metrics.ts";
import type { PortMapper } from "./port_mapper.ts";
import type { Random } from "./random.ts";
import type { Resolver } from "./resolver.ts";
import type { StreamPort } from "./stream.ts";

/** Everything of the outside world that one instance uses. `node/` and `testing/` make them. */
export interface Edges {
  readonly clock: Clock;
  readonly random: Random;
  readonly datagrams: DatagramPort;
  /** Missing where they cannot be known: then there is no LAN discovery. */
  readonly interfaces?: Interfaces;
  /** Missing where TCP cannot be had: then there are no relays. */
  readonly streams?: StreamPort;
  /** Missing where no router can be asked, or nobody can connect to us anyway: then no ports are mapped. */
  readonly portMapper?: PortMapper;
  /** Missing where there is no disk: half-done transfers then wait for the app after a restart. */
  readonly files?: FilePort;
  readonly resolver: Resolver;
  readonly logger: Logger;
  readonly metrics: Metrics;
}
