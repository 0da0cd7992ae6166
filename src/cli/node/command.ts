import { Command, InvalidArgumentError, Option } from "commander";
import { type BootstrapNode, parseBootstrapNode, ToxError } from "../../index.ts";
import { LOG_LEVELS, type LogLevel } from "../../node/index.ts";
import { safeText } from "../safe_text.ts";
import { type NodeConfig, parseNodeConfig, readNodeConfig } from "./config.ts";
import { askNodeInfo, versionText } from "./info.ts";
import type { HttpAddress } from "./metrics_server.ts";
import { runNode } from "./run.ts";

interface NodeFlags {
  readonly config?: string;
  readonly keys?: string;
  readonly port?: number;
  readonly relayPort?: readonly number[];
  readonly motd?: string;
  readonly bootstrap?: readonly BootstrapNode[];
  readonly ipv6: boolean;
  readonly mapPorts?: boolean;
  readonly metrics?: HttpAddress;
  readonly log?: LogLevel;
}

export function nodeCommand(): Command {
  return new Command("node")
    .description("a bootstrap node that others find the network through")
    .option("--config <FILE>", "JSON, or tox-bootstrapd's own configuration")
    .option("--keys <FILE>", "the node's keys, made when missing")
    .option("--port <N>", "the UDP port (0: any)", (text) => portOf(text, 0))
    .option("--relay-port <N>", "a TCP port; repeatable", (text, all: number[] = []) => [...all, portOf(text, 0)])
    .option("--motd <TEXT>", "what to tell whoever asks")
    .option("--bootstrap <HOST:PORT:KEY>", "a node to start from; repeatable", collectNode)
    .option("--no-ipv6", "use IPv4 only")
    .option("--map-ports", "ask the router to let others in at the ports (PCP, NAT-PMP, UPnP)")
    .option("--metrics <HOST:PORT>", "serve /metrics and /health over HTTP", hostPort)
    .addOption(new Option("--log <LEVEL>", "what to log on standard error").choices(LOG_LEVELS))
    .action((flags: NodeFlags) => runNode(() => configOf(flags)))
    .addCommand(
      new Command("info")
        .description("ask a node for its version and message of the day")
        .argument("<HOST>")
        .argument("<PORT>", "its UDP port", (text) => portOf(text, 1))
        .action(async (host: string, port: number) => {
          const { version, motd } = await askNodeInfo(host.replace(/^\[(.*)\]$/, "$1"), port);
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

/** The file, if any, with what the flags say on top. Rejects with `config-invalid`. */
async function configOf(flags: NodeFlags): Promise<NodeConfig> {
  const file = flags.config === undefined ? parseNodeConfig("", "defaults") : await readNodeConfig(flags.config);
  const { keys, port, relayPort, motd, bootstrap, ipv6, mapPorts, metrics, log } = flags;
  return {
    ...file,
    ...(keys !== undefined && { keysFile: keys }),
    ...(port !== undefined && { port }),
    ...(relayPort !== undefined && { relayPorts: relayPort }),
    ...(motd !== undefined && { motd }),
    ...(bootstrap !== undefined && { bootstrap: [...file.bootstrap, ...bootstrap] }),
    ...(!ipv6 && { ipv6: false, ipv4: true }),
    ...(mapPorts && { portMapping: true }),
    ...(metrics !== undefined && { metrics }),
    ...(log !== undefined && { log }),
  };
}

async function health(url: string): Promise<void> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5000) });
    console.log(safeText((await firstText(answer)).trim()));
    if (!answer.ok) process.exitCode = 1;
    if (answer.status === 404) console.error(`${url} is not there: the URL ends in /health.`);
  } catch (error) {
    throw new ToxError("connection-failed", `${url} does not answer: ${String(error)}.`);
  }
}

/** No more than a line or two of it is wanted. */
async function firstText(answer: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > 1024) break;
  }
  return text.slice(0, 1024);
}

function portOf(text: string, lowest: number): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < lowest || port > 65535) {
    throw new InvalidArgumentError(`Give a port from ${lowest} to 65535.`);
  }
  return port;
}

function hostPort(text: string): HttpAddress {
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
