import { createSocket } from "node:dgram";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { hexOf } from "./mailbox.ts";
import { ended, spawnTied, Tail } from "./process.ts";
import type { DhtNode } from "./toxcore.ts";

export interface BootstrapdOptions {
  /** Default: a random one. */
  port?: number;
  /** Nodes to ask for the way into their network. Default: none, so it waits until somebody comes. */
  nodes?: readonly DhtNode[];
  /** Where its keys are, or shall be. Default: new ones that nobody keeps. */
  keysFile?: string;
  /** Network namespace to run in (root only). There nothing checks that the port was free. */
  netns?: string;
  /** The address by which others reach it: what `host` will say. Default: 127.0.0.1. */
  host?: string;
  /** Whether it relays on the TCP port of the same number. Default: no. */
  tcpRelay?: boolean;
  /** TCP ports on which it relays. Default: none. */
  relayPorts?: readonly number[];
  /** Also IPv6. Default: off. */
  ipv6?: boolean;
}

/** A bootstrap node of the C implementation on loopback; itself the `DhtNode` to bootstrap from. */
export interface Bootstrapd extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly publicKey: string;
  readonly pid: number;
  close(): Promise<void>;
}

const HOST = "127.0.0.1";
const START_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 3_000;
const INFO_TIMEOUT_MS = 2_000;
const INFO_RESEND_MS = 200;
const INFO_PACKET_ID = 0xf0;
const INFO_REQUEST_SIZE = 78;

/** Starts `tox-bootstrapd` with keys of its own, without LAN discovery. */
export async function startBootstrapd(options: BootstrapdOptions = {}): Promise<Bootstrapd> {
  const attempts = options.port === undefined ? 5 : 1;
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? 20_000 + Math.floor(Math.random() * 12_000);
    const daemon = await Daemon.start(port, options);
    if (options.netns !== undefined || (await answers(port, daemon.motd))) return daemon;
    await daemon.close();
    if (attempt === attempts) throw new Error(`tox-bootstrapd does not answer on port ${port}`);
  }
}

class Daemon implements Bootstrapd {
  readonly host: string;
  readonly port: number;
  readonly publicKey: string;
  readonly motd: string;
  readonly pid: number;
  readonly #stop: () => Promise<void>;
  #closing: Promise<void> | undefined;

  private constructor(
    host: string,
    port: number,
    publicKey: string,
    motd: string,
    pid: number,
    stop: () => Promise<void>,
  ) {
    this.host = host;
    this.port = port;
    this.publicKey = publicKey;
    this.motd = motd;
    this.pid = pid;
    this.#stop = stop;
  }

  static async start(port: number, options: BootstrapdOptions): Promise<Daemon> {
    const directory = await mkdtemp(join(tmpdir(), "toxcore-ts-bootstrapd-"));
    const motd = `interop ${Math.random().toString(36).slice(2)}`;
    const config = join(directory, "config");
    await writeFile(config, configuration(options.keysFile ?? join(directory, "keys"), directory, port, motd, options));
    const child = spawnTied(
      "tox-bootstrapd",
      [`--config=${config}`, "--foreground", "--log-backend=stdout"],
      options.netns,
    );
    const exited = ended(child).catch(String);
    const stop = async () => {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), CLOSE_TIMEOUT_MS);
      await exited;
      clearTimeout(timer);
      await rm(directory, { recursive: true, force: true });
    };
    const log = new Tail(child.stdout);
    const errors = new Tail(child.stderr);
    const failed = (why: string) => new Error(`tox-bootstrapd: ${why}\n${log.text}\n${errors.text}`);
    const publicKey = Promise.withResolvers<string>();
    createInterface({ input: child.stdout }).on("line", (line) => {
      const key = /Public Key: ([0-9A-F]{64})/.exec(line)?.[1];
      if (key !== undefined) publicKey.resolve(key);
    });
    void exited.then((how) => publicKey.reject(failed(how)));
    const timer = setTimeout(() => publicKey.reject(failed("did not start in time")), START_TIMEOUT_MS);
    try {
      return new Daemon(options.host ?? HOST, port, await publicKey.promise, motd, child.pid ?? 0, stop);
    } catch (error) {
      await stop();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#stop();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function configuration(
  keysFile: string,
  directory: string,
  port: number,
  motd: string,
  { nodes = [], tcpRelay = false, relayPorts = tcpRelay ? [port] : [], ipv6 = false }: BootstrapdOptions,
): string {
  const known = nodes.map(
    ({ host, port, publicKey }) => `{ address = "${host}", port = ${port}, public_key = "${hexOf(publicKey)}" }`,
  );
  return [
    `port = ${port}`,
    `keys_file_path = "${keysFile}"`,
    `pid_file_path = "${join(directory, "pid")}"`,
    `enable_ipv6 = ${ipv6}`,
    "enable_ipv4_fallback = true",
    "enable_lan_discovery = false",
    `enable_tcp_relay = ${relayPorts.length > 0}`,
    `tcp_relay_ports = [${relayPorts.join(", ")}]`,
    "enable_motd = true",
    `motd = "${motd}"`,
    `bootstrap_nodes = (${known.join(", ")})`,
    "",
  ].join("\n");
}

/**
 * Whether our daemon is the one on that port: it silently takes the next one when the port is taken, and then somebody
 * else answers, or nobody. Its message of the day tells (bootstrap info request 0xF0, `bootstrap_node_packets.c`).
 */
async function answers(port: number, motd: string): Promise<boolean> {
  const socket = createSocket("udp4");
  const request = Buffer.alloc(INFO_REQUEST_SIZE);
  request[0] = INFO_PACKET_ID;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.on("message", (packet) => resolve(packet.includes(motd)));
  socket.on("error", () => resolve(false));
  const ask = () => socket.send(request, port, HOST);
  const again = setInterval(ask, INFO_RESEND_MS);
  const timeout = setTimeout(() => resolve(false), INFO_TIMEOUT_MS);
  ask();
  try {
    return await promise;
  } finally {
    clearInterval(again);
    clearTimeout(timeout);
    socket.close();
  }
}
