import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type BootstrapNode, ToxError } from "../../index.ts";
import { LOG_LEVELS, type LogLevel } from "../../node/index.ts";
import { whyUnreadable } from "../why_unreadable.ts";
import { type ConfigGroup, type ConfigValue, configError, parseConfigText } from "./config_text.ts";
import { nearestName } from "./nearest.ts";

const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));

export interface NodeConfig {
  readonly port: number;
  readonly keysFile: string;
  readonly pidFile?: string;
  readonly ipv6: boolean;
  readonly ipv4: boolean;
  readonly lan: boolean;
  readonly portMapping: boolean;
  readonly relayPorts: readonly number[];
  readonly motd?: string;
  readonly bootstrap: readonly BootstrapNode[];
  readonly metrics?: { readonly host: string; readonly port: number };
  readonly log: LogLevel;
}

/** tox-bootstrapd's keys and ours; a JSON file uses the same names. */
const KEYS = [
  "port",
  "keys_file_path",
  "pid_file_path",
  "enable_ipv6",
  "enable_ipv4_fallback",
  "enable_lan_discovery",
  "enable_port_mapping",
  "enable_tcp_relay",
  "tcp_relay_ports",
  "enable_motd",
  "motd",
  "bootstrap_nodes",
  "metrics",
  "log_level",
] as const;

export const DEFAULT_RELAY_PORTS: readonly number[] = [443, 3389, 33445];
export const DEFAULT_MOTD = `toxcore-ts ${version}`;

/** Rejects with `config-invalid`. */
export async function readNodeConfig(file: string): Promise<NodeConfig> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new ToxError("config-invalid", `The configuration ${file} cannot be read: ${whyUnreadable(error)}.`);
  });
  return parseNodeConfig(text, file);
}

/** Throws `config-invalid` that names file, line, key and what is allowed. */
export function parseNodeConfig(text: string, file: string): NodeConfig {
  const root = new Group(parseConfigText(text, file), file, KEYS);
  const metrics = root.group("metrics", ["host", "port"]);
  const pidFile = root.string("pid_file_path");
  const enableMotd = root.boolean("enable_motd") ?? true;
  const motd = root.string("motd") ?? DEFAULT_MOTD;
  const relayPorts = root.list("tcp_relay_ports")?.map((value) => root.portOf("tcp_relay_ports", value));
  const nodes = root.list("bootstrap_nodes")?.map((value) => bootstrapNode(root, value));
  const level = root.string("log_level") ?? "info";
  if (!LOG_LEVELS.some((known) => known === level)) throw root.wrong("log_level", `one of ${LOG_LEVELS.join(", ")}`);
  return {
    port: root.port("port") ?? 33445,
    keysFile: root.string("keys_file_path") ?? "toxcore-ts-node.keys",
    ...(pidFile !== undefined && { pidFile }),
    ipv6: root.boolean("enable_ipv6") ?? true,
    ipv4: (root.boolean("enable_ipv4_fallback") ?? true) || root.boolean("enable_ipv6") === false,
    lan: root.boolean("enable_lan_discovery") ?? false,
    portMapping: root.boolean("enable_port_mapping") ?? false,
    relayPorts: (root.boolean("enable_tcp_relay") ?? true) ? (relayPorts ?? DEFAULT_RELAY_PORTS) : [],
    ...(enableMotd && { motd }),
    bootstrap: nodes ?? [],
    ...(metrics && { metrics: { host: metrics.string("host") ?? "127.0.0.1", port: metrics.port("port") ?? 9733 } }),
    log: level as LogLevel,
  };
}

function bootstrapNode(root: Group, value: ConfigValue): BootstrapNode {
  if (!(value.value instanceof Map)) throw root.wrongAt(value.line, "bootstrap_nodes", "a list of groups");
  const node = new Group(value.value, root.file, ["public_key", "port", "address"]);
  const [host, port, publicKey] = [node.string("address"), node.port("port"), node.string("public_key")];
  if (!host || port === undefined || publicKey === undefined) {
    throw root.wrongAt(value.line, "bootstrap_nodes", "public_key, port and address of each node");
  }
  if (!/^[0-9a-fA-F]{64}$/.test(publicKey)) throw node.wrong("public_key", "64 hex digits");
  return { host, port, publicKey };
}

class Group {
  readonly file: string;
  readonly #settings: ConfigGroup;

  constructor(settings: ConfigGroup, file: string, keys: readonly string[]) {
    this.file = file;
    this.#settings = settings;
    for (const [key, { line }] of settings) {
      if (!keys.includes(key)) {
        const nearest = nearestName(key, keys);
        const hint = nearest === undefined ? `allowed are ${keys.join(", ")}` : `did you mean ${nearest}?`;
        throw configError(file, line, `there is no key ${JSON.stringify(key.slice(0, 64))}; ${hint}`);
      }
    }
  }

  string(key: string): string | undefined {
    const value = this.#settings.get(key)?.value;
    if (value !== undefined && (typeof value !== "string" || value.includes("\0"))) throw this.wrong(key, "a string");
    return value;
  }

  boolean(key: string): boolean | undefined {
    const value = this.#settings.get(key)?.value;
    if (value !== undefined && typeof value !== "boolean") throw this.wrong(key, "true or false");
    return value;
  }

  port(key: string): number | undefined {
    const value = this.#settings.get(key);
    return value && this.portOf(key, value);
  }

  portOf(key: string, { value, line }: ConfigValue): number {
    if (typeof value !== "number" || value < 1 || value > 65535) throw this.wrongAt(line, key, "1 to 65535");
    return value;
  }

  list(key: string): readonly ConfigValue[] | undefined {
    const value = this.#settings.get(key)?.value;
    if (value !== undefined && !Array.isArray(value)) throw this.wrong(key, "a list");
    return value as readonly ConfigValue[] | undefined;
  }

  group(key: string, keys: readonly string[]): Group | undefined {
    const value = this.#settings.get(key)?.value;
    if (value === undefined) return undefined;
    if (!(value instanceof Map)) throw this.wrong(key, `a group of ${keys.join(" and ")}`);
    return new Group(value, this.file, keys);
  }

  wrong(key: string, allowed: string): ToxError {
    return this.wrongAt(this.#settings.get(key)?.line ?? 1, key, allowed);
  }

  wrongAt(line: number, key: string, allowed: string): ToxError {
    return configError(this.file, line, `${key} has a wrong value; allowed: ${allowed}`);
  }
}
