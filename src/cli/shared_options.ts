import { type Command, InvalidArgumentError, Option } from "commander";
import { type BootstrapNode, type NodeToxOptions, parseBootstrapNode, ToxError } from "../index.ts";
import { consoleLogger, LOG_LEVELS, type LogLevel, parseProxyUrl } from "../node/index.ts";
import { readNodesFile, shippedNodes } from "./nodes.ts";

/** The flags that every command shares, as commander reads them. */
export interface SharedFlags {
  readonly profile?: string;
  readonly passwordFile?: string;
  readonly name?: string;
  readonly port?: number;
  readonly ipv6: boolean;
  readonly udp: boolean;
  readonly proxy?: string;
  readonly relayPort?: number;
  readonly lan?: boolean;
  readonly mapPorts?: boolean;
  readonly holePunching: boolean;
  readonly bootstrap: readonly BootstrapNode[];
  readonly nodes?: string;
  readonly publicNodes?: boolean;
  readonly log: LogLevel;
}

export function addSharedFlags(command: Command): Command {
  return command
    .option("--profile <FILE>", "who you are and what waits to be delivered: a .tox file, and more beside it")
    .option("--password-file <FILE>", "with --profile: a file with the password that encrypts it")
    .option("--name <NAME>", "your name, as friends see it")
    .option(
      "--port <N>",
      "use exactly this UDP port (0: any); the first free one of 33445 to 33545 when left out",
      parsePort,
    )
    .option("--no-ipv6", "use IPv4 only")
    .option("--no-udp", "use TCP relays only")
    .option("--proxy <URL>", "send everything through socks5://HOST:PORT or http://HOST:PORT", parseProxy)
    .option("--relay-port <N>", "be a TCP relay for others on this port", parsePort)
    .option("--lan", "look for friends in the local network, by broadcast")
    .option("--map-ports", "ask the router to let others in at your ports (PCP, NAT-PMP, UPnP)")
    .option("--no-hole-punching", "do not open ways through NATs")
    .addOption(
      new Option("--bootstrap <HOST:PORT:KEY>", "a node to start from; repeatable; an IPv6 address in brackets")
        .argParser(collectNode)
        .default([], "none"),
    )
    .option("--nodes <FILE>", "nodes to start from, as nodes.tox.chat publishes them")
    .option("--public-nodes", "start from the dated list of public nodes that comes with this program")
    .addOption(new Option("--log <LEVEL>", "what to log on standard error").choices(LOG_LEVELS).default("warn"));
}

/** All nodes to start from that the flags name. */
export async function bootstrapNodes(flags: SharedFlags): Promise<BootstrapNode[]> {
  return [
    ...flags.bootstrap,
    ...(flags.nodes === undefined ? [] : await readNodesFile(flags.nodes)),
    ...(flags.publicNodes ? shippedNodes() : []),
  ];
}

/** Throws `invalid-argument` where flags do not go together. */
export function toxOptions(flags: SharedFlags): NodeToxOptions {
  expectFlagsFit(flags);
  return {
    ...(flags.name !== undefined && { name: flags.name }),
    ...(flags.port !== undefined && { port: flags.port }),
    ipv6: flags.ipv6,
    udp: flags.udp && flags.proxy === undefined,
    ...(flags.proxy !== undefined && { proxy: flags.proxy }),
    ...(flags.relayPort !== undefined && { relayPort: flags.relayPort }),
    ...(flags.lan && { lan: true }),
    ...(flags.mapPorts && { portMapping: true }),
    holePunching: flags.holePunching,
    logger: consoleLogger(flags.log),
  };
}

/** The library says the same of its options; a person at a terminal knows the flags. */
function expectFlagsFit({ port, udp, proxy, relayPort, lan, mapPorts }: SharedFlags): void {
  const withoutUdp = proxy !== undefined ? "--proxy" : udp ? undefined : "--no-udp";
  if (withoutUdp === undefined) return;
  const refuse = (flag: string, why: string): never => {
    throw new ToxError("invalid-argument", `Leave out ${flag} with ${withoutUdp}: ${why}.`);
  };
  if (port !== undefined && port !== 0) refuse("--port", "there is no UDP, and so no port");
  if (lan) refuse("--lan", "it broadcasts over UDP");
  if (relayPort !== undefined && proxy !== undefined) refuse("--relay-port", "nobody can connect to you");
  if (!mapPorts) return;
  if (proxy !== undefined) refuse("--map-ports", "nobody can connect to you");
  if (relayPort === undefined) refuse("--map-ports", "there is no port to map but that of --relay-port");
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65535) throw new InvalidArgumentError("Give a port from 0 to 65535.");
  return port;
}

function parseProxy(text: string): string {
  try {
    parseProxyUrl(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function collectNode(text: string, previous: readonly BootstrapNode[]): BootstrapNode[] {
  try {
    return [...previous, parseBootstrapNode(text)];
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
