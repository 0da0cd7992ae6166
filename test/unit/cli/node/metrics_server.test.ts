import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { text as textOf } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { METRIC_HELP } from "../../../../src/cli/node/metric_help.ts";
import {
  MetricsEndpoint,
  PrometheusMetrics,
  prometheusName,
  serveMetrics,
} from "../../../../src/cli/node/metrics_server.ts";

const HOST = "127.0.0.1";
const parts = { text: () => "numbers\n", illness: (): string | undefined => undefined };

async function serve(given = parts) {
  const server = await serveMetrics(HOST, 0, given);
  return { ...server, url: `http://${HOST}:${server.port}`, [Symbol.asyncDispose]: server.close };
}

/** What is answered to bytes as they are. */
async function raw(port: number, ...pieces: string[]): Promise<string> {
  const socket = connect(port, HOST);
  socket.on("error", () => {});
  await once(socket, "connect");
  for (const piece of pieces) socket.write(piece);
  return textOf(socket).catch(() => "cut off");
}

it("metrics are told as Prometheus reads them", () => {
  const metrics = new PrometheusMetrics();
  metrics.count("drop.a-b");
  metrics.gauge("node.nodes", 3);
  expect(metrics.text()).toContain("# TYPE toxcore_drop_a_b_total counter\ntoxcore_drop_a_b_total 1\n");
  expect(metrics.text()).toContain("# HELP toxcore_node_nodes nodes of the DHT known to be alive\n");
  expect(metrics.text()).toContain("# TYPE toxcore_node_nodes gauge\ntoxcore_node_nodes 3\n");
  metrics.count("drop.nodesRequest.forged");
  expect(metrics.text()).toContain("# HELP toxcore_drop_nodesRequest_forged_total packets (nodesRequest) that were");
});

describe("what metrics mean", () => {
  const root = new URL("../../../../", import.meta.url);
  const sources = ["src/network", "src/dht", "src/onion/server", "src/relay", "src/node"].flatMap((folder) =>
    globSync(`${folder}/**/*.ts`, { cwd: root }).map((file) => readFileSync(new URL(file, root), "utf8")),
  );
  const names = new Map<string, "counter" | "gauge">();
  for (const source of sources) {
    for (const [, kind = "", rest = ""] of source.matchAll(/\.(count|gauge)\(([^;]*)/g)) {
      // A relay's client and friends are no node's.
      for (const [, name = ""] of rest.matchAll(/"((?:udp|tcp|dht|onion|relay\.server|portMapping)\.[A-Za-z.]+)"/g))
        names.set(name, kind === "gauge" ? "gauge" : "counter");
    }
  }
  for (const name of ["node.nodes", "node.announcements", "node.relayConnections"]) names.set(name, "gauge");

  it("is known of each that a node has, and of no other", () => {
    expect(names.size).toBeGreaterThan(40);
    expect(new Set(Object.keys(METRIC_HELP))).toEqual(new Set(names.keys()));
  });

  it("is in docs/node.md", () => {
    const document = readFileSync(new URL("docs/node.md", root), "utf8");
    for (const [name, kind] of names)
      expect(document).toContain(`| \`${prometheusName(name, kind)}\` | ${METRIC_HELP[name]} |\n`);
  });
});

describe("the metrics' server", () => {
  it("serves the metrics as text", async () => {
    await using server = await serve();
    const answer = await fetch(`${server.url}/metrics`);
    expect([answer.status, await answer.text()]).toEqual([200, "numbers\n"]);
    expect(answer.headers.get("content-type")).toContain("version=0.0.4");
  });

  it("tells by the status whether the node is well, and why not", async () => {
    let illness: string | undefined;
    await using server = await serve({ ...parts, illness: () => illness });
    expect((await fetch(`${server.url}/health?from=balancer`)).status).toBe(200);
    illness = "nobody answers";
    const answer = await fetch(`${server.url}/health`);
    expect([answer.status, await answer.text()]).toEqual([503, "nobody answers\n"]);
  });

  it("knows no other path and no other method", async () => {
    await using server = await serve();
    for (const path of ["/", "/metrics/", "/metricsx", "/../health/.", "/%6detrics"]) {
      expect([path, (await fetch(server.url + path)).status]).toEqual([path, 404]);
    }
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const answer = await fetch(`${server.url}/metrics`, { method });
      expect([method, answer.status, answer.headers.get("allow")]).toEqual([method, 405, "GET, HEAD"]);
    }
    const head = await fetch(`${server.url}/health`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  it("survives what is no HTTP, or too much of it", async () => {
    await using server = await serve();
    const { port } = server;
    expect(await raw(port, "\0\u0001nonsense\r\n\r\n")).toMatch(/^HTTP\/1.1 400/);
    expect(await raw(port, `GET /metrics HTTP/1.1\r\nhost: a\r\nx: ${"y".repeat(9000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431/,
    );
    const mebibyte = "z".repeat(1 << 20);
    const body = `POST /metrics HTTP/1.1\r\nhost: a\r\ncontent-length: ${1 << 30}\r\n\r\n`;
    expect(await raw(port, body, mebibyte, mebibyte)).toMatch(/^HTTP\/1.1 405|^$|cut off/);
    expect((await fetch(`${server.url}/metrics`)).status).toBe(200);
  });

  it("names the address that it cannot have", async () => {
    await using server = await serve();
    await expect(serveMetrics(HOST, server.port, parts)).rejects.toMatchObject({
      code: "port-in-use",
      message: expect.stringContaining(`${HOST}:${server.port}`),
    });
    await expect(serveMetrics("192.0.2.1", 0, parts)).rejects.toMatchObject({
      code: "network-unavailable",
      message: expect.stringContaining("192.0.2.1:0"),
    });
  });
});

describe("the metrics' endpoint", () => {
  const statusOf = (port: number | undefined) => fetch(`http://${HOST}:${port}/health`).then(({ status }) => status);

  it("is off until it is wanted, and again afterwards", async () => {
    await using endpoint = new MetricsEndpoint(parts);
    await endpoint.move(undefined);
    expect(endpoint.port).toBeUndefined();
    await endpoint.move({ host: HOST, port: 0 });
    const { port } = endpoint;
    expect(await statusOf(port)).toBe(200);
    await endpoint.move({ host: HOST, port: 0 });
    expect(endpoint.port).toBe(port);
    await endpoint.move(undefined);
    await expect(statusOf(port)).rejects.toThrow();
  });

  it("stays where it is when the new address cannot be had", async () => {
    await using taken = await serve();
    await using endpoint = new MetricsEndpoint(parts);
    await endpoint.move({ host: HOST, port: 0 });
    const { port } = endpoint;
    await expect(endpoint.move({ host: HOST, port: taken.port })).rejects.toMatchObject({ code: "port-in-use" });
    expect([endpoint.port, await statusOf(port)]).toEqual([port, 200]);
    const absent = { host: "192.0.2.1", port: port ?? 0 };
    await expect(endpoint.move(absent)).rejects.toMatchObject({ code: "network-unavailable" });
    expect([endpoint.port, await statusOf(port)]).toEqual([port, 200]);
  });

  it("moves between addresses of one port", async () => {
    await using endpoint = new MetricsEndpoint(parts);
    await endpoint.move({ host: HOST, port: 0 });
    const port = endpoint.port ?? 0;
    await endpoint.move({ host: "0.0.0.0", port });
    expect([endpoint.port, await statusOf(port)]).toEqual([port, 200]);
  });
});
