import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { ToxNode } from "../../src/core.ts";
import { type BootstrapNode, Tox } from "../../src/index.ts";
import { loadCryptoProvider, nodeEdges } from "../../src/node/index.ts";
import { MemoryLogger } from "../../src/testing/index.ts";
import { Heard } from "../support/heard.ts";
import type { ProxyMode } from "../support/proxy_modes.ts";
import { socksProxy } from "../support/socks_proxy.ts";

const NO_WAY = "no node's address is known";
const NO_RELAY = "no TCP relay can be reached";

/** One of ours behind a proxy, and what it logs. */
async function behind(proxyPort: number, bootstrap: readonly BootstrapNode[] = []) {
  const logger = new MemoryLogger();
  const tox = await Tox.create({ proxy: `socks5://127.0.0.1:${proxyPort}`, bootstrap, logger });
  const warnings = (about: string) =>
    logger.lines.filter(({ level, message }) => level === "warn" && message.includes(about));
  return { tox, warnings, [Symbol.asyncDispose]: () => tox.close() };
}

/** A node of ours with UDP and TCP on one port of loopback. */
async function relayNode(): Promise<BootstrapNode & AsyncDisposable> {
  const edges = nodeEdges();
  const env = { ...edges, crypto: await loadCryptoProvider(), release: edges.close };
  const port = await freePort();
  const node = await ToxNode.create(env, { port, ipv6: false, bindIpv4: "127.0.0.1", relayPorts: [port] });
  return { host: "127.0.0.1", port, publicKey: node.publicKey, [Symbol.asyncDispose]: () => node.close() };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`it is not so: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe.concurrent("behind a proxy", () => {
  it("a relay is known by name, and a node by address brings the network", async () => {
    await using node = await relayNode();
    const proxy = await socksProxy();
    await using one = await behind(proxy.port);
    const heard = new Heard(one.tox);
    await one.tox.bootstrap({ ...node, host: "relay.invalid" });
    await until(() => proxy.targets.length > 0);
    expect(proxy.targets).toEqual([`relay.invalid:${node.port}`]);
    await until(() => one.warnings(NO_WAY).length > 0);
    await one.tox.bootstrap(node);
    expect((await heard.waitFor("connection")).state).toBe("tcp");
    expect(one.warnings("").length).toBe(1);
    proxy.close();
  });

  it("nothing is amiss when a node's address is named beside names", async () => {
    await using node = await relayNode();
    const proxy = await socksProxy();
    await using one = await behind(proxy.port, [{ ...node, host: "relay.invalid" }, node]);
    await new Heard(one.tox).waitFor("connection");
    await new Promise((resolve) => setTimeout(resolve, 2500)); // as long as it takes to warn
    expect(one.warnings("")).toEqual([]);
    proxy.close();
  });

  it.each<ProxyMode>(["refuse", "nonsense"])("one that would %s is told of once, and asked again", async (mode) => {
    await using node = await relayNode();
    const broken = await socksProxy({ mode });
    await using one = await behind(broken.port, [node, { ...node, host: "other.invalid", publicKey: "5A".repeat(32) }]);
    const heard = new Heard(one.tox);
    await until(() => one.warnings(NO_RELAY).length > 0);
    expect(one.warnings(NO_RELAY)[0]?.fields.reason).toContain(`socks5 proxy 127.0.0.1:${broken.port}`);
    broken.close();
    const mended = await socksProxy({ listen: { host: "127.0.0.1", port: broken.port } });
    expect((await heard.waitFor("connection")).state).toBe("tcp");
    expect(one.warnings(NO_RELAY).length).toBe(1);
    mended.close();
  });

  it("one that hangs is told of before all nodes of a long list were tried", async () => {
    const proxy = await socksProxy({ mode: "hang" });
    const node = (i: number) => ({
      host: `192.0.2.${i}`,
      port: 33445,
      publicKey: i.toString(16).padStart(2, "0").repeat(32),
    });
    await using one = await behind(
      proxy.port,
      Array.from({ length: 12 }, (_, i) => node(i + 1)),
    );
    await until(() => one.warnings(NO_RELAY).length > 0);
    proxy.close();
  });

  it("pauses grow while there is no proxy", async () => {
    const proxy = await socksProxy({ mode: "refuse" });
    await using one = await behind(proxy.port, [{ host: "192.0.2.1", port: 33445, publicKey: "5A".repeat(32) }]);
    const started = performance.now();
    await until(() => proxy.targets.length >= 3); // at once, after 1 s, after 2 s more
    expect(performance.now() - started).toBeGreaterThan(2900);
    expect(one.warnings(NO_RELAY).length).toBe(1);
    proxy.close();
  });
});

describe("a node that tells its TCP ports", () => {
  const node = { host: "192.0.2.1", port: 33445, publicKey: "5A".repeat(32) };

  it("is tried as a relay on one after the other", async () => {
    const proxy = await socksProxy({ mode: "refuse" });
    await using _one = await behind(proxy.port, [{ ...node, tcpPorts: [443, 3389] }]);
    await until(() => proxy.targets.length >= 3);
    expect(proxy.targets.slice(0, 3)).toEqual(["192.0.2.1:443", "192.0.2.1:3389", "192.0.2.1:443"]);
    proxy.close();
  });

  it("stays with the port that worked", async () => {
    await using relay = await relayNode();
    const closed = await freePort();
    const proxy = await socksProxy();
    await using one = await behind(proxy.port, [{ ...relay, tcpPorts: [closed, relay.port] }]);
    expect((await new Heard(one.tox).waitFor("connection")).state).toBe("tcp");
    expect(proxy.targets).toEqual([`127.0.0.1:${closed}`, `127.0.0.1:${relay.port}`]);
    proxy.close();
  });

  it("is no relay without any", async () => {
    const proxy = await socksProxy({ mode: "refuse" });
    const other = { ...node, port: 4, publicKey: "5B".repeat(32) };
    await using one = await behind(proxy.port, [{ ...node, tcpPorts: [] }, other]);
    await until(() => one.warnings(NO_RELAY).length > 0);
    expect(proxy.targets).toEqual(["192.0.2.1:4"]);
    await expect(one.tox.bootstrap({ ...node, tcpPorts: [70_000] })).rejects.toMatchObject({
      code: "invalid-argument",
    });
    proxy.close();
  });
});
