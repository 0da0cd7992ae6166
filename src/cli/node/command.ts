import { rm, writeFile } from "node:fs/promises";
import { Command, InvalidArgumentError } from "commander";
import { type BootstrapNode, type Logger, parseBootstrapNode, ToxError, ToxNode } from "../../index.ts";
import { consoleLogger, loadCryptoProvider, nodeEdges, nodeRandom } from "../../node/index.ts";
import { safeText } from "../safe_text.ts";
import { endSignal } from "../signals.ts";
import { type NodeConfig, parseNodeConfig, readNodeConfig } from "./config.ts";
import { askNodeInfo, versionText } from "./info.ts";
import { readOrMakeKeys } from "./keys_file.ts";
import { PrometheusMetrics, serveMetrics } from "./metrics_server.ts";

interface NodeFlags {
  readonly config?: string;
  readonly keys?: string;
  readonly port?: number;
  readonly relayPort?: readonly number[];
  readonly motd?: string;
  readonly bootstrap?: readonly BootstrapNode[];
  readonly ipv6: boolean;
  readonly metrics?: { host: string; port: number };
}

export function nodeCommand(): Command {
  return new Command("node")
    .description("A bootstrap node that others find the network through")
    .option("--config <FILE>", "JSON, or tox-bootstrapd's own configuration")
    .option("--keys <FILE>", "the node's keys, made when missing")
    .option("--port <N>", "the UDP port (0: any)", (text) => portOf(text, 0))
    .option("--relay-port <N>", "a TCP port; repeatable", (text, all: number[] = []) => [...all, portOf(text, 0)])
    .option("--motd <TEXT>", "what to tell whoever asks")
    .option("--bootstrap <HOST:PORT:KEY>", "a node to start from; repeatable", collectNode)
    .option("--no-ipv6", "use IPv4 only")
    .option("--metrics <HOST:PORT>", "serve /metrics and /health over HTTP", hostPort)
    .action(run)
    .addCommand(
      new Command("info")
        .description("ask a node for its version and message of the day")
        .argument("<HOST>")
        .argument("<PORT>", "its UDP port", (text) => portOf(text, 1))
        .action(async (host: string, port: number) => {
          const { version, motd } = await askNodeInfo(host, port);
          console.log(`version: ${versionText(version)}\nmotd: ${safeText(motd)}`);
        }),
    )
    .addCommand(
      new Command("health")
        .description("exit with 0 when a node's /health says that it is well")
        .argument("<URL>")
        .action(health),
    );
}

async function run(flags: NodeFlags): Promise<void> {
  const signal = endSignal();
  let config = await configOf(flags);
  let sink = consoleLogger(config.log);
  const logger: Logger = {
    debug: (...said) => sink.debug(...said),
    info: (...said) => sink.info(...said),
    warn: (...said) => sink.warn(...said),
    error: (...said) => sink.error(...said),
  };
  const metrics = new PrometheusMetrics();
  const provider = await loadCryptoProvider();
  const edges = nodeEdges({ logger, metrics });
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
  if (config.lan) logger.warn("enable_lan_discovery is not supported yet");
  const { port, ipv4, ipv6, bootstrap, relayPorts } = config;
  await using node = await ToxNode.create(
    { ...edges, crypto: provider, release: edges.close },
    {
      secretKey: keys.secretKey,
      ...{ port, ipv4, ipv6, bootstrap, relayPorts },
      ...(config.motd !== undefined && { motd: config.motd }),
    },
  );
  keys.secretKey.fill(0);
  const illness = () =>
    config.bootstrap.length > 0 && node.nodeCount === 0 ? "no node of the network answers" : undefined;
  const text = () => {
    for (const [name, value] of Object.entries(node.stats)) metrics.gauge(`node.${name}`, value);
    return metrics.text();
  };
  const open = async ({ metrics: at }: NodeConfig) => at && (await serveMetrics(at.host, at.port, { text, illness }));
  let server = await open(config);
  if (config.pidFile !== undefined) await writeFile(config.pidFile, `${process.pid}\n`);
  const reload = async () => {
    const next = await configOf(flags);
    sink = consoleLogger(next.log);
    node.setMotd(next.motd);
    for (const known of next.bootstrap) await node.bootstrap(known).catch((error) => logger.warn(String(error)));
    const lasting = ({ port, keysFile, pidFile, ipv4, ipv6, relayPorts }: NodeConfig) =>
      JSON.stringify([port, keysFile, pidFile, ipv4, ipv6, relayPorts]);
    if (lasting(next) !== lasting(config)) logger.warn("ports, files and families change with a restart only");
    const moved = JSON.stringify(next.metrics) !== JSON.stringify(config.metrics);
    config = next;
    if (moved) {
      server?.close();
      server = undefined;
      server = await open(next);
    }
    logger.info("reloaded");
  };
  let reloading = Promise.resolve();
  const onHangUp = () => {
    reloading = reloading.then(reload).catch((error) => logger.error("not reloaded", { reason: String(error) }));
  };
  process.on("SIGHUP", onHangUp);
  try {
    console.log(`public key: ${node.publicKey}`);
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  } finally {
    process.off("SIGHUP", onHangUp);
    await reloading;
    server?.close();
    if (config.pidFile !== undefined) await rm(config.pidFile, { force: true });
  }
}

async function configOf(flags: NodeFlags): Promise<NodeConfig> {
  const file = flags.config === undefined ? parseNodeConfig("", "defaults") : await readNodeConfig(flags.config);
  const { keys, port, relayPort, motd, bootstrap, ipv6, metrics } = flags;
  return {
    ...file,
    ...(keys !== undefined && { keysFile: keys }),
    ...(port !== undefined && { port }),
    ...(relayPort !== undefined && { relayPorts: relayPort }),
    ...(motd !== undefined && { motd }),
    ...(bootstrap !== undefined && { bootstrap: [...file.bootstrap, ...bootstrap] }),
    ...(!ipv6 && { ipv6: false, ipv4: true }),
    ...(metrics !== undefined && { metrics }),
  };
}

async function health(url: string): Promise<void> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5000) }).catch((error: unknown) => {
    throw new ToxError("connection-failed", `${url} does not answer: ${String(error)}.`);
  });
  console.log(safeText((await answer.text()).trim()));
  if (!answer.ok) process.exitCode = 1;
}

function portOf(text: string, lowest: number): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < lowest || port > 65535) {
    throw new InvalidArgumentError(`Give a port from ${lowest} to 65535.`);
  }
  return port;
}

function hostPort(text: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) throw new InvalidArgumentError("Write HOST:PORT.");
  return { host, port: portOf(port ?? "", 0) };
}

function collectNode(text: string, previous: readonly BootstrapNode[] = []): BootstrapNode[] {
  try {
    return [...previous, parseBootstrapNode(text)];
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
