import type { Logger } from "./env/logger.ts";
import type { Metrics } from "./env/metrics.ts";
import { consoleLogger, loadCryptoProvider, nodeEdges } from "./node/index.ts";
import { Tox as CoreTox } from "./tox.ts";
import type { ToxOptions } from "./tox_options.ts";

export * from "./core.ts";

export interface NodeToxOptions extends ToxOptions {
  /** When left out, what fails in the app's listeners goes to standard error, and nothing else. See `consoleLogger`. */
  readonly logger?: Logger;
  /** Counters and gauges; kept nowhere when left out. */
  readonly metrics?: Metrics;
  /** `socks5://[user:password@]host:port`, or the same with `http`: everything goes through this proxy; `udp` is false then. */
  readonly proxy?: string;
}

/** One person on the Tox network, see `core.ts`. */
export type Tox = CoreTox;

/** Instances bound to Node's sockets, clock and randomness, with libsodium where it loads. */
export const Tox = {
  /** Opens the sockets and starts the instance; the errors are those of the core's `Tox.create`. */
  async create(options: NodeToxOptions = {}): Promise<CoreTox> {
    const edges = nodeEdges({ logger: consoleLogger("error"), ...options });
    const coreOptions = options.proxy === undefined ? options : { ...options, udp: false };
    try {
      const crypto = await loadCryptoProvider();
      return await CoreTox.create({ ...edges, crypto, release: edges.close }, coreOptions);
    } catch (error) {
      edges.close();
      throw error;
    }
  },
};
