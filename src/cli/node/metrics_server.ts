import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Metrics } from "../../index.ts";

/** Counters and gauges, and their text as Prometheus reads it (version 0.0.4). */
export class PrometheusMetrics implements Metrics {
  readonly #counters = new Map<string, number>(); // bounded by the names in the source
  readonly #gauges = new Map<string, number>(); // bounded by the names in the source

  count(name: string, by = 1): void {
    this.#counters.set(name, (this.#counters.get(name) ?? 0) + by);
  }

  gauge(name: string, value: number): void {
    this.#gauges.set(name, value);
  }

  text(): string {
    const lines: string[] = [];
    for (const [name, value] of this.#counters) lines.push(...metric(`${nameOf(name)}_total`, "counter", value));
    for (const [name, value] of this.#gauges) lines.push(...metric(nameOf(name), "gauge", value));
    return `${lines.join("\n")}\n`;
  }
}

const nameOf = (name: string) => `toxcore_${name.replace(/[^A-Za-z0-9_]/g, "_")}`;
const metric = (name: string, type: string, value: number) => [`# TYPE ${name} ${type}`, `${name} ${value}`];

export interface MetricsServerParts {
  readonly text: () => string;
  /** Why the node is not well; undefined when it is. */
  readonly illness: () => string | undefined;
}

/** Serves `/metrics` and `/health`. Rejects when the address cannot be had. */
export async function serveMetrics(host: string, port: number, { text, illness }: MetricsServerParts) {
  const server = createServer({ requestTimeout: 5000, maxHeaderSize: 8192 }, ({ url, method }, response) => {
    const why = illness();
    response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8");
    if (method !== "GET" && method !== "HEAD") response.writeHead(405).end();
    else if (url === "/metrics") response.end(text());
    else if (url === "/health") response.writeHead(why === undefined ? 200 : 503).end(`${why ?? "ok"}\n`);
    else response.writeHead(404).end();
  });
  server.maxConnections = 32;
  server.listen(port, host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
