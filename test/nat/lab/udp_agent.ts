import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { spawnTied } from "../../interop/process.ts";
import type { Host } from "./lab.ts";

const AGENT = fileURLToPath(new URL("./agent.ts", import.meta.url));
/** What has not come within this will not: the way takes well under a millisecond. */
const PATIENCE_MS = 700;

/** A UDP socket in one of the lab's namespaces. */
export class UdpAgent implements AsyncDisposable {
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end();
    await this.#exited.promise;
  }
}
