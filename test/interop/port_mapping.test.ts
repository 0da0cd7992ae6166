import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type Host, Lab } from "../nat/lab/lab.ts";
import { MAIN, rpcClient } from "../support/rpc_client.ts";
import { netnsAvailable } from "./netns.ts";
import { spawnTied } from "./process.ts";

const ROUTER = fileURLToPath(new URL("./router/main.ts", import.meta.url));
const PORT = 33_445;
const RELAY_PORT = 3_389;

/** Lines of JSON that a process writes, and those of them that tell of something. */
class Lines {
  readonly all: Record<string, unknown>[] = [];
  #check = () => {};

  constructor(stream: NodeJS.ReadableStream, parse: (line: string) => Record<string, unknown>) {
    createInterface({ input: stream }).on("line", (line) => {
      this.all.push(parse(line));
      this.#check();
    });
  }

  /** Resolves when there are `count` that match. */
  until(count: number, matches: (line: Record<string, unknown>) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#check = () => {
        if (this.all.filter(matches).length >= count) resolve();
      };
      this.#check();
    });
  }
}

async function startRouter(kind: string, { netns, address }: Host) {
  const child = spawnTied(process.execPath, [ROUTER, kind, address], netns);
  child.stderr.pipe(process.stderr);
  const lines = new Lines(child.stdout, (line) => JSON.parse(line));
  await lines.until(1, ({ name }) => name === "ready");
  return { lines, [Symbol.dispose]: () => void child.kill() };
}

function startOurs({ netns }: Host) {
  const flags = ["--no-ipv6", "--map-ports", "--port", `${PORT}`, "--relay-port", `${RELAY_PORT}`, "--log", "debug"];
  const child = spawnTied(process.execPath, [MAIN, "rpc", ...flags], netns);
  const log = new Lines(child.stderr, (line) => ({ line }));
  const mapped = log.until(2, ({ line }) => String(line).includes("the router maps a port"));
  return { log, mapped, rpc: rpcClient(child) };
}

describe.skipIf(!netnsAvailable())("behind a router that can be asked for ports", () => {
  it("they are asked for with PCP, and given back at the end", async () => {
    using lab = new Lab();
    const home = lab.addHome("port-restricted");
    using router = await startRouter("pcp", { netns: home.router.netns, address: `${home.router.inside}.1` });
    const ours = startOurs(home);
    await ours.mapped;
    ours.rpc.endInput();
    expect(await ours.rpc.exited).toBe(0);
    const asked = router.lines.all.slice(1).map(({ internalPort, lifetime }) => [internalPort, lifetime]);
    expect(asked.slice(0, 2)).toEqual([
      [PORT, 1800],
      [RELAY_PORT, 1800],
    ]);
    expect(asked.slice(2).toSorted()).toEqual([
      [PORT, 0],
      [RELAY_PORT, 0],
    ]);
  });

  it("they are asked for with UPnP, whatever nonsense is told before, and nobody else is believed", async () => {
    using lab = new Lab();
    const home = lab.addHome("port-restricted");
    const neighbour = lab.addInsider(home.router);
    using impostor = await startRouter("impostor", neighbour);
    using router = await startRouter("upnp", { netns: home.router.netns, address: `${home.router.inside}.1` });
    const ours = startOurs(home);
    await ours.mapped;
    ours.rpc.endInput();
    expect(await ours.rpc.exited).toBe(0);
    const named = (wanted: string) =>
      router.lines.all.filter(({ name }) => name === wanted).map(({ values }) => values as Record<string, string>);
    const ports = (wanted: string) => named(wanted).map((values) => `${values.NewProtocol} ${values.NewExternalPort}`);
    expect(ports("AddPortMapping")).toEqual([`UDP ${PORT}`, `TCP ${RELAY_PORT}`]);
    expect(named("AddPortMapping").map((values) => values.NewInternalClient)).toEqual([home.address, home.address]);
    expect(ports("DeletePortMapping").toSorted()).toEqual([`TCP ${RELAY_PORT}`, `UDP ${PORT}`]);
    expect(impostor.lines.all).toEqual([{ name: "ready" }]);
  });
});
