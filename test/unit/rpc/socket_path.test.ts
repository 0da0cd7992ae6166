import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { MemoryMetrics, Tox } from "../../../src/index.ts";
import { serveSocket } from "../../../src/rpc/serve.ts";
import { scratch } from "../../support/scratch.ts";

const folder = scratch();

it("a file that is no socket is not taken for one that a killed server left, and stays", async () => {
  const path = join(folder(), "precious");
  writeFileSync(path, "precious");
  await using tox = await Tox.create({ bindIpv4: "127.0.0.1", ipv6: false, port: 0 });
  await expect(serveSocket(tox, path, { metrics: new MemoryMetrics() })).rejects.toThrow("is no socket");
  expect(readFileSync(path, "utf8")).toBe("precious");
});
