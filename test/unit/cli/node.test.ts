import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseNodeConfig, readNodeConfig } from "../../../src/cli/node/config.ts";
import { askNodeInfo, versionText } from "../../../src/cli/node/info.ts";
import { PrometheusMetrics } from "../../../src/cli/node/metrics_server.ts";
import { ToxError } from "../../../src/index.ts";
import { MAIN } from "../../support/rpc_client.ts";

const KEY = "AB".repeat(32);
const LIBCONFIG = `// a comment
port = 33446 # another
/* and
one more */
enable_ipv6 = FALSE;
tcp_relay_ports = [443, 0xD3D]
motd = "joined " "and\\t\\x41"
bootstrap_nodes = ( { address = "127.0.0.1", port = 1, public_key = "${KEY}" } )
`;

describe("a node's configuration", () => {
  it("is read alike from libconfig and JSON", () => {
    const json = JSON.stringify({
      port: 33446,
      enable_ipv6: false,
      tcp_relay_ports: [443, 3389],
      motd: "joined and\tA",
      bootstrap_nodes: [{ address: "127.0.0.1", port: 1, public_key: KEY }],
    });
    const config = parseNodeConfig(LIBCONFIG, "a");
    expect(config).toEqual(parseNodeConfig(json, "b"));
    expect(config).toMatchObject({ port: 33446, ipv6: false, relayPorts: [443, 3389], motd: "joined and\tA" });
  });

  it("has tox-bootstrapd's defaults", () => {
    expect(parseNodeConfig("", "none")).toMatchObject({ port: 33445, relayPorts: [443, 3389, 33445], ipv6: true });
  });

  it("loads the examples", async () => {
    for (const name of ["node.conf", "node.json"]) await readNodeConfig(join("examples/node", name));
  });

  it.each([
    ["port = 1\nprot = 2", "f, line 2: there is no key"],
    ["port = true", "port has a wrong value"],
    ["port = 0", "1 to 65535"],
    ['{\n"port": 1,\n}', "f, line 3"],
    ['motd = "open', "not closed"],
    ['motd = "\\q"', "no escape"],
    [`a=${"(".repeat(50)}`, "levels"],
    ["port = 1 port = 2", "set twice"],
  ])("refuses %j", (text, why) => {
    expect(() => parseNodeConfig(text, "f")).toThrow(why);
  });

  it("is refused with config-invalid, whatever it holds", () => {
    const pieces = fc.constantFrom(
      "port",
      "=",
      ":",
      "{",
      "}",
      "(",
      ")",
      "[",
      '"',
      "\\",
      ",",
      "1",
      "/*",
      "#",
      "\n",
      "-",
      "true",
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(pieces).map((all) => all.join("")),
    );
    fc.assert(
      fc.property(text, (given) => {
        try {
          parseNodeConfig(given, "f");
        } catch (error) {
          expect(error).toBeInstanceOf(ToxError);
          expect((error as ToxError).code).toBe("config-invalid");
        }
      }),
    );
  });
});

it("metrics are told as Prometheus reads them", () => {
  const metrics = new PrometheusMetrics();
  metrics.count("drop.a-b");
  metrics.gauge("node.nodes", 3);
  expect(metrics.text()).toContain("# TYPE toxcore_drop_a_b_total counter\ntoxcore_drop_a_b_total 1\n");
  expect(metrics.text()).toContain("# TYPE toxcore_node_nodes gauge\ntoxcore_node_nodes 3\n");
});

it("versions are told as toxcore writes them", () => {
  expect([versionText(1_000_002_018), versionText(7)]).toEqual(["0.2.18", "7"]);
});

describe("toxcore-ts node", () => {
  it("keeps its key, answers who asks, reloads and stops", { timeout: 30_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "toxcore-ts-node-"));
    const path = (name: string) => join(folder, name);
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const configure = (motd: string) =>
      writeFile(
        path("conf"),
        `port=${port} enable_ipv6=false enable_tcp_relay=false motd="${motd}" keys_file_path="${path("keys")}" pid_file_path="${path("pid")}"`,
      );
    await configure("one");
    const start = async () => {
      const child = spawn(process.execPath, [MAIN, "node", "--config", path("conf")], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [line] = await once(createInterface({ input: child.stdout }), "line");
      const stop = async () => {
        child.kill("SIGTERM");
        return (await once(child, "close"))[0];
      };
      return { child, line, stop };
    };
    const first = await start();
    const keys = await readFile(path("keys"));
    expect([keys.length, (await stat(path("keys"))).mode & 0o777]).toEqual([64, 0o600]);
    expect(first.line).toBe(`public key: ${keys.toString("hex", 0, 32).toUpperCase()}`);
    expect((await askNodeInfo("127.0.0.1", port)).motd).toBe("one");
    await configure("two");
    first.child.kill("SIGHUP");
    await expect.poll(async () => (await askNodeInfo("127.0.0.1", port)).motd, { timeout: 10_000 }).toBe("two");
    expect(await first.stop()).toBe(0);
    await expect(stat(path("pid"))).rejects.toThrow("ENOENT");
    const second = await start();
    expect(second.line).toBe(first.line);
    expect(await second.stop()).toBe(0);
    await rm(folder, { recursive: true });
  });
});
