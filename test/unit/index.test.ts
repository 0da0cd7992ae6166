import { createServer } from "node:net";
import { expect, it } from "vitest";
import { Tox } from "../../src/index.ts";

/** A TCP port of this machine at which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

it("has no UDP behind a proxy, even if it is asked for", async () => {
  const proxy = `socks5://127.0.0.1:${await closedPort()}`;
  await using tox = await Tox.create({ proxy, udp: true });
  expect([tox.udpPort, tox.connection]).toEqual([0, "none"]);
  await expect(Tox.create({ proxy, relayPort: 0 })).rejects.toMatchObject({ code: "network-unavailable" });
  await expect(Tox.create({ proxy, lan: true })).rejects.toMatchObject({ code: "invalid-argument" });
});
