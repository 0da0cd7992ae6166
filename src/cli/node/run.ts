import { rm, writeFile } from "node:fs/promises";
import { type Logger, ToxError, ToxNode } from "../../index.ts";
import { consoleLogger, loadCryptoProvider, nodeEdges, nodeRandom } from "../../node/index.ts";
import { endSignal } from "../signals.ts";
import type { NodeConfig } from "./config.ts";
import { readOrMakeKeys } from "./keys_file.ts";
import { MetricsEndpoint, PrometheusMetrics } from "./metrics_server.ts";

/**
 * Runs a node until the process is told to end; SIGHUP reads the configuration again. Rejects when it cannot start:
 * `config-invalid`, `port-in-use`, `permission-denied` or `network-unavailable`.
 */
export async function runNode(read: () => Promise<NodeConfig>): Promise<void> {
  const signal = endSignal();
  let config = await read();
  let sink = consoleLogger(config.log);
  const logger: Logger = {
    debug: (...said) => sink.debug(...said),
    info: (...said) => sink.info(...said),
    warn: (...said) => sink.warn(...said),
    error: (...said) => sink.error(...said),
  };
  const metrics = new PrometheusMetrics();
  await using node = await startNode(config, logger, metrics);
  await using endpoint = new MetricsEndpoint({
    text: () => {
      for (const [name, value] of Object.entries(node.stats)) metrics.gauge(`node.${name}`, value);
      return metrics.text();
    },
    illness: () => (config.bootstrap.length > 0 && node.nodeCount === 0 ? "no node of the network answers" : undefined),
  });
  await endpoint.move(config.metrics);
  // What can fail comes first: either the whole of a new configuration holds afterwards, or nothing of it.
  const reload = async () => {
    const next = await read();
    await endpoint.move(next.metrics);
    sink = consoleLogger(next.log);
    warnOfLongMotd(next, logger);
    node.setMotd(next.motd);
    if (lasting(next) !== lasting(config)) logger.warn("ports, files and families change with a restart only");
    config = next;
    for (const known of next.bootstrap) {
      node.bootstrap(known).catch((error: unknown) => {
        logger.warn("a bootstrap node cannot be used", { host: known.host, reason: String(error) });
      });
    }
    logger.info("reloaded");
  };
  let reloading = Promise.resolve();
  const onHangUp = () => {
    reloading = reloading.then(reload).catch((error) => logger.error("not reloaded", { reason: String(error) }));
  };
  const { pidFile } = config;
  process.on("SIGHUP", onHangUp);
  try {
    if (pidFile !== undefined) await writePid(pidFile);
    if (endpoint.port !== undefined) logger.info("serving metrics", { port: endpoint.port });
    console.log(`public key: ${node.publicKey}\nUDP port: ${node.udpPort}`);
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  } finally {
    process.off("SIGHUP", onHangUp);
    await reloading;
    if (pidFile !== undefined) {
      await rm(pidFile, { force: true }).catch((error) =>
        logger.warn("the pid file cannot be removed: remove it yourself", { pidFile, reason: String(error) }),
      );
    }
  }
}

async function startNode(config: NodeConfig, logger: Logger, metrics: PrometheusMetrics): Promise<ToxNode> {
  warnOfLongMotd(config, logger);
  const provider = await loadCryptoProvider();
  const publicKeyOf = (secret: Uint8Array) => {
    const publicKey = new Uint8Array(32);
    provider.publicKey(publicKey, secret);
    return publicKey;
  };
  const make = () => {
    const secretKey = new Uint8Array(32);
    nodeRandom.fill(secretKey);
    return { publicKey: publicKeyOf(secretKey), secretKey };
  };
  const keys = await readOrMakeKeys(config.keysFile, make, publicKeyOf);
  const edges = nodeEdges({ logger, metrics });
  const { port, ipv4, ipv6, bootstrap, relayPorts, lan, portMapping, motd } = config;
  try {
    return await ToxNode.create(
      { ...edges, crypto: provider, release: edges.close },
      {
        ...{ secretKey: keys.secretKey, port, ipv4, ipv6, bootstrap, relayPorts, lan, portMapping },
        ...(motd !== undefined && { motd }),
      },
    );
  } finally {
    keys.secretKey.fill(0);
  }
}

/** tox-bootstrapd cuts it as well. */
function warnOfLongMotd({ motd }: NodeConfig, logger: Logger): void {
  const bytes = Buffer.byteLength(motd ?? "");
  if (bytes > 255) logger.warn("the motd is cut to 255 bytes: shorten it", { bytes });
}

async function writePid(path: string): Promise<void> {
  await writeFile(path, `${process.pid}\n`).catch((error: Error) => {
    throw new ToxError("config-invalid", `pid_file_path ${path} cannot be written: ${error.message}.`);
  });
}

/** What changes with a restart only. */
function lasting({ port, keysFile, pidFile, ipv4, ipv6, relayPorts, lan, portMapping }: NodeConfig): string {
  return JSON.stringify([port, keysFile, pidFile, ipv4, ipv6, relayPorts, lan, portMapping]);
}
