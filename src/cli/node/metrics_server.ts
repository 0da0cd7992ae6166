import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Metrics, ToxError } from "../../index.ts";
import { metricHelp } from "./metric_help.ts";

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
    for (const [name, value] of this.#counters) lines.push(...linesOf(name, "counter", value));
    for (const [name, value] of this.#gauges) lines.push(...linesOf(name, "gauge", value));
    return `${lines.join("\n")}\n`;
  }
}

/** The library's name as Prometheus has it. */
export function prometheusName(name: string, type: "counter" | "gauge"): string {
  return `toxcore_${name.replace(/[^A-Za-z0-9_]/g, "_")}${type === "counter" ? "_total" : ""}`;
}

function linesOf(name: string, type: "counter" | "gauge", value: number): string[] {
  const shown = prometheusName(name, type);
  const help = metricHelp(name);
  return [...(help === undefined ? [] : [`# HELP ${shown} ${help}`]), `# TYPE ${shown} ${type}`, `${shown} ${value}`];
}

export interface MetricsServerParts {
  readonly text: () => string;
  /** Why the node is not well; undefined when it is. */
  readonly illness: () => string | undefined;
}

export interface HttpAddress {
  readonly host: string;
  readonly port: number;
}

interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves `/metrics` and `/health`. Rejects with `port-in-use`, `permission-denied` or `network-unavailable`. */
export async function serveMetrics(
  host: string,
  port: number,
  { text, illness }: MetricsServerParts,
): Promise<MetricsServer> {
  const limits = { headersTimeout: 5000, requestTimeout: 5000, connectionsCheckingInterval: 1000, maxHeaderSize: 8192 };
  const server = createServer(limits, ({ url = "", method }, response) => {
    response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8");
    // What follows the headers is nothing to us: it goes with the connection.
    response.setHeader("connection", "close");
    const [path] = url.split("?");
    if (path !== "/metrics" && path !== "/health") return void response.writeHead(404).end();
    if (method !== "GET" && method !== "HEAD") return void response.writeHead(405, { allow: "GET, HEAD" }).end();
    if (path === "/metrics") return void response.end(text());
    const why = illness();
    response.writeHead(why === undefined ? 200 : 503).end(`${why ?? "ok"}\n`);
  });
  server.maxConnections = 32;
  server.listen(port, host);
  await once(server, "listening").catch((cause: NodeJS.ErrnoException) => {
    throw listenError(cause, `${host.includes(":") ? `[${host}]` : host}:${port}`);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listenError(cause: NodeJS.ErrnoException, where: string): ToxError {
  const at = `The address ${where} of the metrics`;
  if (cause.code === "EADDRINUSE") {
    return new ToxError("port-in-use", `${at} is taken by another program: choose another port.`, { cause });
  }
  if (cause.code === "EACCES" || cause.code === "EPERM") {
    return new ToxError("permission-denied", `${at} is not allowed to this user: choose a port from 1024 on.`, {
      cause,
    });
  }
  return new ToxError("network-unavailable", `${at} cannot be had: ${cause.message}.`, { cause });
}

/** The metrics where they are wanted now; when they cannot be had there, they stay where they were. */
export class MetricsEndpoint implements AsyncDisposable {
  readonly #parts: MetricsServerParts;
  #at: HttpAddress | undefined;
  #server: MetricsServer | undefined;

  constructor(parts: MetricsServerParts) {
    this.#parts = parts;
  }

  /** The port that is bound, if one is. */
  get port(): number | undefined {
    return this.#server?.port;
  }

  /** Rejects as `serveMetrics` does. */
  async move(to: HttpAddress | undefined): Promise<void> {
    const from = this.#at;
    if (to?.host === from?.host && to?.port === from?.port) return;
    // Of one port, 127.0.0.1 and 0.0.0.0 cannot be had at once.
    const sharesPort = to !== undefined && this.#server !== undefined && to.port === this.#server.port;
    if (sharesPort) await this.#server?.close();
    try {
      const server = to && (await serveMetrics(to.host, to.port, this.#parts));
      if (!sharesPort) await this.#server?.close();
      this.#server = server;
      this.#at = to;
    } catch (error) {
      if (sharesPort && from) this.#server = await serveMetrics(from.host, to.port, this.#parts);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.close();
  }
}
