import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";
import { Tox } from "../../../src/index.ts";
import { MAX_LINE_BYTES } from "../../../src/rpc/lines.ts";
import { serveSocket } from "../../../src/rpc/serve.ts";
import { scratch } from "../../support/scratch.ts";

const folder = scratch();
const quiet = { bindIpv4: "127.0.0.1", ipv6: false, port: 0 };

it("a message that comes while there is no client waits for one, and is not answered for", async () => {
  const path = join(folder(), "socket");
  await using bob = await Tox.create(quiet);
  await using alice = await Tox.create({
    ...quiet,
    bootstrap: [{ host: "127.0.0.1", port: bob.udpPort, publicKey: bob.dhtPublicKey }],
  });
  const serving = serveSocket(bob, path);
  const bobsAlice = await bob.addFriendWithoutRequest(alice.publicKey);
  const friend = await alice.addFriendWithoutRequest(bob.publicKey);
  const messages = ["first", "second"].map((text) => friend.send(text));
  // All of them have come, and what is written behind them has an answer.
  let come = 0;
  await new Promise<void>((resolve) => bob.on("message", () => ++come === messages.length && resolve()));
  const heard = new Promise((resolve) => alice.on("typing", resolve));
  bobsAlice.setTyping(true);
  await heard;
  expect(messages.map(({ state }) => state)).toEqual(["sent", "sent"]);

  const socket = connect(path);
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const next = async () => JSON.parse(String((await lines.next()).value));
  expect([(await next()).params.text, (await next()).params.text]).toEqual(["first", "second"]);
  expect(await Promise.all(messages.map(({ delivered }) => delivered))).toEqual(["delivered", "delivered"]);

  socket.write(`${"x".repeat(MAX_LINE_BYTES + 1)}\n`);
  expect(await next()).toMatchObject({ id: null, error: { message: expect.stringContaining("longer than") } });
  socket.write('{"jsonrpc":"2.0","id":1,"method":"close"}\n');
  expect(await next()).toEqual({ jsonrpc: "2.0", id: 1, result: {} });
  await serving;
});
