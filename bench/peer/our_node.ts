import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ended, spawnTied, Tail } from "../../test/interop/process.ts";
import type { NodeAddress } from "./processes/node_address.ts";

export interface OurNodeOptions {
  readonly nodes?: readonly NodeAddress[];
  /** Whether it relays, on the TCP port of the same number. */
  readonly tcpRelay?: boolean;
}

export interface OurNode extends AsyncDisposable {
  readonly port: number;
  readonly publicKey: string;
  readonly pid: number;
  close(): Promise<void>;
}

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const ATTEMPTS = 5;

/** `toxcore-ts node` as it is installed, with keys that nobody keeps. */
export async function startOurNode(options: OurNodeOptions = {}): Promise<OurNode> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(20_000 + Math.floor(Math.random() * 12_000), options);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error; // else the port may have been taken
    }
  }
}

async function start(port: number, { nodes = [], tcpRelay = false }: OurNodeOptions): Promise<OurNode> {
  const directory = await mkdtemp(join(tmpdir(), "toxcore-ts-node-"));
  const settings = {
    port,
    keys_file_path: join(directory, "keys"),
    enable_ipv6: false,
    enable_tcp_relay: tcpRelay,
    tcp_relay_ports: [port],
    bootstrap_nodes: nodes.map(({ host, port, publicKey }) => ({ address: host, port, public_key: publicKey })),
    log_level: "warn",
  };
  const config = join(directory, "config.json");
  await writeFile(config, JSON.stringify(settings));
  const child = spawnTied(process.execPath, [MAIN, "node", "--config", config]);
  const exited = ended(child).catch(String);
  const log = new Tail(child.stderr);
  const close = async () => {
    child.kill("SIGTERM");
    await exited;
    await rm(directory, { recursive: true, force: true });
  };
  const publicKey = Promise.withResolvers<string>();
  let key = "";
  createInterface({ input: child.stdout }).on("line", (line) => {
    key = /^public key: ([0-9A-Fa-f]{64})/.exec(line)?.[1] ?? key;
    if (line.startsWith("UDP port: ")) publicKey.resolve(key);
  });
  void exited.then((how) => publicKey.reject(new Error(`toxcore-ts node: ${how}\n${log.text}`)));
  try {
    const known = await publicKey.promise;
    return { port, publicKey: known, pid: child.pid ?? 0, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
