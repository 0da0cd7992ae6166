import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { spawnTied } from "../interop/process.ts";
import { type Host, Lab } from "./lab/lab.ts";
import type { RouterKind } from "./lab/router_rules.ts";

const AGENT = fileURLToPath(new URL("./lab/agent.ts", import.meta.url));
/** What has not come within this will not: the way takes well under a millisecond. */
const PATIENCE_MS = 700;

const EXPECTED = {
  "full-cone": { out: true, otherPort: true, otherHost: true, samePort: true },
  "address-restricted": { out: true, otherPort: true, otherHost: false, samePort: true },
  "port-restricted": { out: true, otherPort: false, otherHost: false, samePort: true },
  symmetric: { out: true, otherPort: false, otherHost: false, samePort: false },
  "udp-blocked": { out: false, otherPort: false, otherHost: false, samePort: false },
} as const;

/** Whether a router maps and filters as its kind says; what is wrong, if not. Plain UDP. */
export async function selfTest(kind: RouterKind): Promise<string | undefined> {
  using lab = new Lab();
  const [one, two, home] = [lab.addPublicHost(), lab.addPublicHost(), lab.addHome(kind)];
  const sockets = await Promise.all(
    [[home, 5000] as const, [one, 7000] as const, [one, 7001] as const, [two, 7000] as const].map(([host, port]) =>
      UdpAgent.start(host, port),
    ),
  );
  const [inside, first, otherPort, otherHost] = sockets as [UdpAgent, UdpAgent, UdpAgent, UdpAgent];
  try {
    inside.send(one.address, 7000, "out");
    const seen = await first.receive("out");
    const port = seen?.port ?? 5000;
    otherPort.send(home.router.address, port, "other-port");
    otherHost.send(home.router.address, port, "other-host");
    const heard = await Promise.all([inside.receive("other-port"), inside.receive("other-host")]);
    inside.send(two.address, 7000, "again");
    const again = await otherHost.receive("again");
    if (again !== undefined) {
      otherHost.send(again.host, again.port, "answer");
      if ((await inside.receive("answer")) === undefined) return "the answer to a question did not come in";
    }
    const found = {
      out: seen !== undefined,
      otherPort: heard[0] !== undefined,
      otherHost: heard[1] !== undefined,
      samePort: seen !== undefined && again?.port === seen.port,
    };
    if (isDeepStrictEqual(found, EXPECTED[kind])) return undefined;
    return `found ${JSON.stringify(found)}, expected ${JSON.stringify(EXPECTED[kind])}`;
  } finally {
    await Promise.all(sockets.map((socket) => socket.close()));
  }
}

class UdpAgent {
  readonly #child;
  readonly #received: { host: string; port: number; text: string }[] = [];
  readonly #ready = Promise.withResolvers<void>();
  readonly #exited = Promise.withResolvers<void>();

  private constructor(host: Host, port: number) {
    this.#child = spawnTied(process.execPath, [AGENT, String(port)], host.netns);
    this.#child.on("exit", (code) => {
      this.#ready.reject(new Error(`the UDP agent ended with ${code}`));
      this.#exited.resolve();
    });
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      const [from = "", fromPort, text = ""] = line.split(" ");
      if (from === "ready") this.#ready.resolve();
      else this.#received.push({ host: from, port: Number(fromPort), text });
    });
  }

  static async start(host: Host, port: number): Promise<UdpAgent> {
    const agent = new UdpAgent(host, port);
    await agent.#ready.promise;
    return agent;
  }

  send(host: string, port: number, text: string): void {
    this.#child.stdin.write(`${host} ${port} ${text}\n`);
  }

  async receive(text: string) {
    for (let waited = 0; waited < PATIENCE_MS; waited += 20) {
      const found = this.#received.find((packet) => packet.text === text);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return undefined;
  }

  async close(): Promise<void> {
    this.#child.stdin.end();
    await this.#exited.promise;
  }
}
