import { type ChildProcessWithoutNullStreams, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ToxOptions } from "../../../src/index.ts";
import { Sandbox } from "../netns.ts";
import { ended, spawnTied, Tail } from "../process.ts";

const PERSON = fileURLToPath(new URL("./person.ts", import.meta.url));

/** Two network namespaces with a cable between them, and no other way in or out. */
export class Lan implements AsyncDisposable {
  readonly one: Sandbox;
  readonly other: Sandbox;

  private constructor(one: Sandbox, other: Sandbox) {
    this.one = one;
    this.other = other;
  }

  /** IPv6 addresses are those that the kernel gives each end by itself. */
  static async create({ ipv4 }: { readonly ipv4: boolean }): Promise<Lan> {
    await using starting = new AsyncDisposableStack();
    const one = starting.use(await Sandbox.create());
    const other = starting.use(await Sandbox.create());
    run("ip", "link", "add", "lan0", "netns", one.netns, "type", "veth", "peer", "name", "lan0", "netns", other.netns);
    for (const [i, { netns }] of [one, other].entries()) {
      // The kernel may take a new IPv6 address for granted: there is nobody who could have the same.
      run("ip", "netns", "exec", netns, "sysctl", "-qw", "net.ipv6.conf.lan0.accept_dad=0");
      if (ipv4) run("ip", "-n", netns, "address", "add", `10.77.0.${i + 1}/24`, "broadcast", "+", "dev", "lan0");
      run("ip", "-n", netns, "link", "set", "lan0", "up");
    }
    starting.move();
    return new Lan(one, other);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.one.close(), this.other.close()]);
  }
}

/** One of ours in a namespace, who tells local networks of its node. */
export class LanPerson implements AsyncDisposable {
  readonly publicKey: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #online = Promise.withResolvers<string>();

  private constructor(child: ChildProcessWithoutNullStreams, publicKey: string) {
    this.#child = child;
    this.publicKey = publicKey;
  }

  static async start({ netns }: Sandbox, options: ToxOptions = {}): Promise<LanPerson> {
    const child = spawnTied(process.execPath, [PERSON, JSON.stringify(options)], netns);
    const errors = new Tail(child.stderr);
    const lines = createInterface({ input: child.stdout });
    const failed = ended(child).then((how) => Promise.reject(new Error(`a person in the LAN: ${how} ${errors.text}`)));
    failed.catch(() => {}); // it ends like that when it is done, too
    const [first] = await Promise.race([once(lines, "line"), failed]);
    const person = new LanPerson(child, JSON.parse(first).publicKey);
    lines.on("line", (line) => {
      const { state } = JSON.parse(line);
      if (state !== "none") person.#online.resolve(state);
    });
    failed.catch((error: unknown) => person.#online.reject(error));
    person.#online.promise.catch(() => {});
    return person;
  }

  add(publicKey: string): void {
    this.#child.stdin.write(`${publicKey}\n`);
  }

  /** Resolves to how a friend is connected, as soon as one is. */
  online(): Promise<string> {
    return this.#online.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.stdin.end();
    await once(this.#child, "exit");
  }
}

function run(command: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr}`);
}
