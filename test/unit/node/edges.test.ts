import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { MemoryMetrics } from "../../../src/env/metrics.ts";
import { loadCryptoProvider, nodeEdges, nodeResolver } from "../../../src/node/index.ts";
import { MemoryLogger } from "../../../src/testing/index.ts";

const entry = new URL("../../../src/node/index.ts", import.meta.url).href;

/** Runs a program to its own end and answers what it wrote; one that lives longer than a minute fails. */
async function outputOf(program: string): Promise<string> {
  const args = ["--input-type=module-typescript", "--disable-warning=ExperimentalWarning", "-e", program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
  return stdout;
}

describe("a process", () => {
  it("ends by itself once its sockets are closed, whatever timers there are", async () => {
    const output = await outputOf(`
      import { nodeEdges } from ${JSON.stringify(entry)};
      const { clock, datagrams } = nodeEdges();
      const socket = await datagrams.bind({ family: 4, port: 0, address: "127.0.0.1" });
      clock.at(clock.monotonic() + 3_600_000, () => {});
      clock.at(clock.monotonic() + 20, () => { socket.close(); console.log("closed"); });
    `);
    expect(output).toBe("closed\n"); // the socket kept the process alive until then
  });

  it("does not notice the sockets' late errors", async () => {
    const output = await outputOf(`
      import { nodeEdges } from ${JSON.stringify(entry)};
      const { clock, datagrams, metrics } = nodeEdges();
      const socket = await datagrams.bind({ family: 4, port: 0, address: "127.0.0.1" });
      for (let i = 0; i < 100; i++) {
        const to = { family: 4, address: Uint8Array.of(127, 0, 0, 1), port: 1 + i };
        socket.send(socket.acquire(), 10, to);
      }
      socket.close();
      process.on("exit", () => console.log("end"));
    `);
    expect(output).toBe("end\n");
  });
});

describe("nodeEdges", () => {
  it("composes the ports, with the logger and metrics that were given", async () => {
    const [logger, metrics] = [new MemoryLogger(), new MemoryMetrics()];
    const edges = nodeEdges({ logger, metrics });
    expect([edges.logger, edges.metrics]).toEqual([logger, metrics]);
    edges.clock.at(0, () => expect.unreachable());
    edges.close();
    await new Promise((resolve) => setTimeout(resolve, 10));
  });
});

describe("nodeResolver", () => {
  it("takes literal addresses as they are", async () => {
    expect(await nodeResolver.resolve("192.0.2.7")).toEqual([Uint8Array.of(192, 0, 2, 7)]);
    expect(await nodeResolver.resolve("::1")).toEqual([new Uint8Array(16).fill(1, 15)]);
  });

  it("asks the system for names", async () => {
    const addresses = await nodeResolver.resolve("localhost");
    const loopbacks = ["127,0,0,1", String(new Uint8Array(16).fill(1, 15))];
    expect(addresses.length).toBeGreaterThan(0);
    for (const address of addresses) expect(loopbacks).toContain(String(address));
  });

  it.each(["no such host", "", "a".repeat(300)])("rejects %j", async (host) => {
    await expect(nodeResolver.resolve(host)).rejects.toMatchObject({ name: "ToxError", code: "host-not-found" });
  });
});

describe("loadCryptoProvider", () => {
  it("takes libsodium", async () => {
    expect((await loadCryptoProvider()).name).toBe("sodium");
  });

  it("falls back to JavaScript where the binary does not load", async () => {
    const output = await outputOf(`
      import { registerHooks } from "node:module";
      const resolve = (name, context, next) => {
        if (name === "sodium-native") throw new Error("no binary for this machine");
        return next(name, context);
      };
      registerHooks({ resolve });
      const { loadCryptoProvider } = await import(${JSON.stringify(entry)});
      console.log((await loadCryptoProvider()).name);
    `);
    expect(output).toBe("noble\n");
  });
});
