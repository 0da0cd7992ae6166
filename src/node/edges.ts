import type { Edges } from "../env/edges.ts";
import { type Logger, silentLogger } from "../env/logger.ts";
import { MemoryMetrics, type Metrics } from "../env/metrics.ts";
import { type NodeClock, nodeClock } from "./clock.ts";
import { nodeDatagrams } from "./datagrams.ts";
import { nodeFiles } from "./file_sink.ts";
import { nodeInterfaces } from "./interfaces.ts";
import { nodePortMapper } from "./port_mapper.ts";
import { literalResolver, noDatagrams } from "./proxy_edges.ts";
import { proxyStreams } from "./proxy_streams.ts";
import { suppliedRandom } from "./random.ts";
import { nodeResolver } from "./resolver.ts";
import { nodeStreams } from "./streams.ts";

export interface NodeEdgesOptions {
  /** Silent when left out. */
  readonly logger?: Logger;
  /** Kept in memory when left out. */
  readonly metrics?: Metrics;
  /** Everything goes through this proxy, see `parseProxyUrl`: then there is no UDP, and names are not looked up here. */
  readonly proxy?: string;
}

export interface NodeEdges extends Edges {
  readonly clock: NodeClock;
  /** Ends the clock's timers. Sockets belong to whoever bound them. */
  close(): void;
}

/** The real world, for one instance. Throws a `ToxError` `invalid-argument` for a proxy's URL that is none. */
export function nodeEdges(options: NodeEdgesOptions = {}): NodeEdges {
  const { logger = silentLogger, metrics = new MemoryMetrics(), proxy } = options;
  const clock = nodeClock();
  const random = suppliedRandom();
  return {
    clock,
    interfaces: nodeInterfaces,
    random,
    datagrams: proxy === undefined ? nodeDatagrams({ metrics }) : noDatagrams,
    streams: proxy === undefined ? nodeStreams({ metrics }) : proxyStreams(proxy, { metrics }),
    ...(proxy === undefined && { portMapper: nodePortMapper({ clock, random, logger, metrics }) }),
    files: nodeFiles,
    resolver: proxy === undefined ? nodeResolver : literalResolver,
    logger,
    metrics,
    close: () => clock.close(),
  };
}
