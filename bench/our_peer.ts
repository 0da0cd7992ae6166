import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Order } from "./peer.ts";

interface Ready {
  readonly port: number;
  readonly dhtPublicKey: string;
  readonly publicKey: string;
  readonly started: number;
}

interface Report {
  readonly event: string;
  readonly at: number;
  readonly state?: string;
}

/** One of ours in a process of its own. */
export class OurPeer {
  readonly port: number;
  readonly dhtPublicKey: string;
  readonly publicKey: string;
  readonly started: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, ready: Ready) {
    this.#child = child;
    this.port = ready.port;
    this.dhtPublicKey = ready.dhtPublicKey;
    this.publicKey = ready.publicKey;
    this.started = ready.started;
  }

  static async start(): Promise<OurPeer> {
    const child = fork(fileURLToPath(new URL("./peer.ts", import.meta.url)), { serialization: "advanced" });
    const [ready] = await once(child, "message");
    return new OurPeer(child, ready);
  }

  /** Gives an order and answers the report of its end, whose fields depend on it: see `peer.ts`. */
  async order<Done = unknown>(order: Order): Promise<Done> {
    const done = this.#next(({ event }) => event === "done");
    this.#child.send(order);
    return (await done) as Done;
  }

  /** When it saw its friend online. */
  async online(): Promise<number> {
    return (await this.#next(({ event, state }) => event === "friendConnection" && state !== "none")).at;
  }

  async close(): Promise<void> {
    const gone = once(this.#child, "exit");
    this.#child.send({ do: "close" } satisfies Order);
    await gone;
  }

  #next(matches: (report: Report) => boolean): Promise<Report> {
    return new Promise((resolve) => {
      const hear = (report: Report) => {
        if (!matches(report)) return;
        this.#child.off("message", hear);
        resolve(report);
      };
      this.#child.on("message", hear);
    });
  }
}
