import { spawnSync } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { TestProxyOptions } from "../../support/proxy_modes.ts";
import { MAIN, type RpcClient, rpcClient } from "../../support/rpc_client.ts";
import { type SocketUse, socketUse, watched } from "../../support/socket_watch.ts";
import { type Bootstrapd, startBootstrapd } from "../bootstrapd.ts";
import { Sandbox } from "../netns.ts";
import { ended, spawnTied, Tail } from "../process.ts";

const PROXY_MAIN = fileURLToPath(new URL("./proxy_main.ts", import.meta.url));
/** Of documentation (RFC 5737): nobody's, and no LAN's, so that nodes are treated as on the Internet. */
const RELAY_HOST = "198.51.100.1";
const BRIDGE = "10.78.0";

/** The proxy's address, which is all that programs on the island can reach. */
export const PROXY_HOST = `${BRIDGE}.2`;
export const PROXY_PORT = 1080;
export const PROXY = `${PROXY_HOST}:${PROXY_PORT}`;

/** What programs on the island may be seen to do: nothing but TCP, to nobody but the proxy. */
export const ONLY_THE_PROXY: SocketUse = { addresses: [PROXY], bound: [], others: [], dns: false };

export interface RelayNode {
  readonly host: string;
  readonly port: number;
  readonly publicKey: string;
}

/** A program on the island, and what it does with the network. */
export interface Watched<T> extends AsyncDisposable {
  readonly program: T;
  /** What it wrote to standard error. */
  log(): string;
  /** Until it wrote that. */
  logged(text: string): Promise<void>;
  socketUse(): Promise<SocketUse>;
}

/**
 * What a firewall lets through from the island: `proxy`, only TCP to the proxy; `tcp`, all TCP and no UDP, as in many an
 * office.
 */
export type Firewall = "proxy" | "tcp";

const FIREWALLS: Readonly<Record<Firewall, readonly string[]>> = {
  proxy: [`OUTPUT -p tcp -d ${PROXY_HOST} --dport ${PROXY_PORT} -j ACCEPT`, "OUTPUT -j DROP"],
  tcp: ["OUTPUT -o eth0 -p udp -j DROP", "INPUT -i eth0 -p udp -j DROP"],
};

/**
 * Two network namespaces with a cable between them. What runs on the island has a route to all the world, and a firewall in
 * the way. Relays and the proxy run in the world.
 */
export class Island implements AsyncDisposable {
  readonly island: Sandbox;
  readonly world: Sandbox;
  #programs = 0;
  #ports = 20_000;

  private constructor(island: Sandbox, world: Sandbox) {
    this.island = island;
    this.world = world;
  }

  static async create(firewall: Firewall = "proxy"): Promise<Island> {
    await using starting = new AsyncDisposableStack();
    const island = starting.use(await Sandbox.create());
    const world = starting.use(await Sandbox.create());
    run(
      "ip",
      "link",
      "add",
      "eth0",
      "netns",
      island.netns,
      "type",
      "veth",
      "peer",
      "name",
      "eth0",
      "netns",
      world.netns,
    );
    for (const [i, { netns }] of [island, world].entries()) {
      run("ip", "-n", netns, "address", "add", `${BRIDGE}.${i + 1}/24`, "dev", "eth0");
      run("ip", "-n", netns, "link", "set", "eth0", "up");
    }
    run("ip", "-n", world.netns, "address", "add", `${RELAY_HOST}/32`, "dev", "lo");
    run("ip", "-n", island.netns, "route", "add", "default", "via", PROXY_HOST);
    for (const rule of FIREWALLS[firewall]) {
      run("ip", "netns", "exec", island.netns, "iptables", "-w", "-A", ...rule.split(" "));
    }
    starting.move();
    return new Island(island, world);
  }

  /** How many packets the firewall has dropped: what tried to leave beside the proxy. */
  dropped(): number {
    const table = run("ip", "netns", "exec", this.island.netns, "iptables", "-w", "-nvxL", "OUTPUT");
    return Number(/^ *(\d+) .* DROP /m.exec(table)?.[1]);
  }

  async startProxy(kind: "socks5" | "http", options: Omit<TestProxyOptions, "listen">): Promise<ProxyProgram> {
    return ProxyProgram.start(this.world, kind, { ...options, listen: { host: PROXY_HOST, port: PROXY_PORT } });
  }

  /** A node of theirs that relays over TCP on its UDP port. */
  startTheirRelay(nodes: readonly RelayNode[] = []): Promise<Bootstrapd> {
    const port = this.#ports++;
    return startBootstrapd({ netns: this.world.netns, host: RELAY_HOST, port, relayPorts: [port], nodes });
  }

  /** A node of ours that does the same. */
  async startOurRelay(nodes: readonly RelayNode[] = []): Promise<RelayNode & AsyncDisposable> {
    const port = this.#ports++;
    const keys = join(this.world.directory, `keys-${port}`);
    const args = ["node", "--no-ipv6", "--keys", keys, "--port", String(port), "--relay-port", String(port)];
    const child = spawnTied(process.execPath, [MAIN, ...args, ...bootstrapArgs(nodes)], this.world.netns);
    const errors = new Tail(child.stderr);
    const exited = ended(child);
    for await (const line of createInterface({ input: child.stdout })) {
      const publicKey = /^public key: (\w+)/.exec(line)?.[1];
      if (publicKey === undefined) continue;
      child.stdout.resume();
      const close = async () => {
        child.kill("SIGTERM");
        await exited;
      };
      return { host: RELAY_HOST, port, publicKey, [Symbol.asyncDispose]: close };
    }
    throw new Error(`our node: ${await exited} ${errors.text}`);
  }

  /** Two that know each other, of theirs or of ours. */
  async startRelays(whose: "theirs" | "ours"): Promise<AsyncDisposable & { readonly nodes: readonly RelayNode[] }> {
    const start = (nodes: readonly RelayNode[]): Promise<RelayNode & AsyncDisposable> =>
      whose === "ours" ? this.startOurRelay(nodes) : this.startTheirRelay(nodes);
    await using starting = new AsyncDisposableStack();
    const first = starting.use(await start([]));
    const second = starting.use(await start([first]));
    const both = starting.move();
    return { nodes: [first, second], [Symbol.asyncDispose]: () => both.disposeAsync() };
  }

  /** A command that ends by itself, under the watch. */
  async run(...args: string[]): Promise<{ out: string; errors: string; how: string; use: SocketUse }> {
    const { child, trace } = this.#startWatched(args);
    const [out, errors] = [new Tail(child.stdout), new Tail(child.stderr)];
    const how = await ended(child);
    return { out: out.text, errors: errors.text, how, use: await socketUse(trace) };
  }

  /** `toxcore-ts rpc` under the watch, with the flags given and no other. */
  startRpc(...args: string[]): Watched<RpcClient> {
    const { child, trace } = this.#startWatched(["rpc", ...args]);
    let log = "";
    const written = new EventEmitter();
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      written.emit("more");
    });
    const logged = async (text: string) => {
      while (!log.includes(text)) await once(written, "more");
    };
    const program = rpcClient(child);
    return {
      program,
      log: () => log,
      logged,
      socketUse: () => socketUse(trace),
      [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
    };
  }

  #startWatched(args: readonly string[]) {
    const trace = join(this.island.directory, `trace-${++this.#programs}`);
    const [strace = "", ...line] = watched(trace, [process.execPath, MAIN, ...args]);
    return { child: spawnTied(strace, line, this.island.netns), trace };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.island.close(), this.world.close()]);
  }
}

/** A proxy of the tests in the world. */
export class ProxyProgram implements AsyncDisposable {
  readonly #child: ReturnType<typeof spawnTied>;
  #targets: Promise<readonly string[]> | undefined;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ReturnType<typeof spawnTied>) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  static async start({ netns }: Sandbox, kind: "socks5" | "http", options: TestProxyOptions): Promise<ProxyProgram> {
    const child = spawnTied(process.execPath, [PROXY_MAIN, kind, JSON.stringify(options)], netns);
    const errors = new Tail(child.stderr);
    const proxy = new ProxyProgram(child);
    if ((await proxy.#lines.next()).done) throw new Error(`the proxy: ${errors.text}`);
    return proxy;
  }

  /** Ends it. Answers what it was asked for, as `host:port`, in order. */
  stop(): Promise<readonly string[]> {
    this.#targets ??= (async () => {
      this.#child.stdin.end();
      const { value = "{}" } = await this.#lines.next();
      if (this.#child.exitCode === null) await once(this.#child, "exit");
      return JSON.parse(value).targets ?? [];
    })();
    return this.#targets;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

export function bootstrapArgs(nodes: readonly RelayNode[]): string[] {
  return nodes.flatMap(({ host, port, publicKey }) => ["--bootstrap", `${host}:${port}:${publicKey}`]);
}

function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr}`);
  return stdout;
}
