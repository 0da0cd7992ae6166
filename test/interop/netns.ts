import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ended } from "./process.ts";
import { type Terminal, Tmux } from "./tmux.ts";

let count = 0;

/** Ends what runs in the namespace, then deletes it. Runs when its standard input closes, so also when we crash. */
const KEEPER = `
ns=$1 directory=$2
cat >/dev/null
ip netns pids "$ns" | xargs -r kill 2>/dev/null
tries=0
while [ -n "$(ip netns pids "$ns")" ] && [ $tries -lt 30 ]; do sleep 0.1; tries=$((tries + 1)); done
ip netns pids "$ns" | xargs -r kill -9 2>/dev/null
ip netns del "$ns"
rm -rf "$directory"
`;

export interface RunOptions {
  /** Added to the environment, where HOME is the sandbox's directory. */
  env?: Record<string, string>;
  /** Default: the sandbox's directory. */
  cwd?: string;
}

/**
 * A fresh network namespace that has loopback and nothing else, with a tmux server in it once a program wants a
 * terminal. Needs root. `ToxcorePeer.start` and `startBootstrapd` take its name as `netns`.
 */
export class Sandbox implements AsyncDisposable {
  /** The namespace. */
  readonly netns: string;
  /** A temporary directory; the HOME of what runs here. */
  readonly directory: string;

  /** Started with the first terminal. */
  #tmux: Promise<Tmux> | undefined;
  readonly #keeper: { close: () => Promise<void> };
  #windows = 0;
  #closing: Promise<void> | undefined;

  private constructor(netns: string, directory: string, keeper: { close: () => Promise<void> }) {
    this.netns = netns;
    this.directory = directory;
    this.#keeper = keeper;
  }

  static async create(): Promise<Sandbox> {
    const netns = `toxcore-ts-${process.pid}-${++count}`;
    run("ip", "netns", "add", netns);
    const directory = await mkdtemp(join(tmpdir(), `${netns}-`));
    const keeper = await startKeeper(netns, directory);
    try {
      const sandbox = new Sandbox(netns, directory, keeper);
      sandbox.setNetwork("up");
      return sandbox;
    } catch (error) {
      await keeper.close();
      throw error;
    }
  }

  /** Takes the loopback away from all that runs here, and gives it back. */
  setNetwork(state: "up" | "down"): void {
    run("ip", "-n", this.netns, "link", "set", "lo", state);
  }

  /** Puts up, or takes down, a firewall that drops all UDP here without a word. Needs iptables. */
  blockUdp(on = true): void {
    run("ip", "netns", "exec", this.netns, "iptables", "-w", on ? "-A" : "-D", "INPUT", "-p", "udp", "-j", "DROP");
  }

  /** Runs a program in a terminal of its own. */
  async run(name: string, command: string[], { env = {}, cwd = this.directory }: RunOptions = {}): Promise<Terminal> {
    const variables = { HOME: this.directory, LANG: "C.UTF-8", LC_ALL: "C.UTF-8", ...env };
    const exports = Object.entries(variables).map(([key, value]) => `export ${key}=${quote(value)}`);
    const script = join(this.directory, `run-${++this.#windows}-${name}`);
    const lines = ["unset XDG_CONFIG_HOME", ...exports, `cd ${quote(cwd)}`];
    await writeFile(script, [...lines, `exec ${command.map(quote).join(" ")}`, ""].join("\n"));
    this.#tmux ??= Tmux.start({ socket: this.netns, netns: this.netns });
    // read and not executed: a child that was just forked elsewhere may still have the file open for writing
    return (await this.#tmux).open(name, `/bin/sh ${quote(script)}`);
  }

  /** Ends all that runs here, and deletes the namespace and the directory. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      try {
        await (await this.#tmux)?.close();
      } finally {
        await this.#keeper.close();
      }
    })();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Whether this process may make network namespaces: tried, as root alone does not say so (containers). */
export function netnsAvailable(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  const probe = `toxcore-ts-${process.pid}-probe`;
  if (spawnSync("ip", ["netns", "add", probe]).status !== 0) return false;
  return spawnSync("ip", ["netns", "del", probe]).status === 0;
}

async function startKeeper(netns: string, directory: string): Promise<{ close: () => Promise<void> }> {
  const child = spawn("sh", ["-c", KEEPER, "keeper", netns, directory], { stdio: "pipe", detached: true });
  await once(child, "spawn");
  const exited = ended(child);
  return {
    async close() {
      child.stdin.end();
      await exited;
    },
  };
}

function run(command: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr}`);
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
