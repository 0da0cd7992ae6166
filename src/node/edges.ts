import type { Edges } from "../env/edges.ts";
import { type Logger, silentLogger } from "../env/logger.ts";
import { MemoryMetrics, type Metrics } from "../env/metrics.ts";
import { type NodeClock, nodeClock } from "./clock.ts";
import { nodeDatagrams } from "./datagrams.ts";
import { nodeInterfaces } from "./interfaces.ts";
import { suppliedRandom } from "./random.ts";
import { nodeResolver } from "./resolver.ts";

export interface NodeEdgesOptions {
  /** Silent when left out. */
  readonly logger?: Logger;
  /** Kept in memory when left out. */
  readonly metrics?: Metrics;
}

export interface NodeEdges extends Edges {
  readonly clock: NodeClock;
  /** Ends the clock's timers. Sockets belong to whoever bound them. */
  close(): void;
}

/** The real world, for one instance. */
export function nodeEdges(options: NodeEdgesOptions = {}): NodeEdges {
  const { logger = silentLogger, metrics = new MemoryMetrics() } = options;
  const clock = nodeClock();
  return {
    clock,
    interfaces: nodeInterfaces,
    random: suppliedRandom(),
    datagrams: nodeDatagrams({ metrics }),
    resolver: nodeResolver,
    logger,
    metrics,
    close: () => clock.close(),
  };
}
