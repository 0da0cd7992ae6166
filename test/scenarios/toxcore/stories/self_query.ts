import assert from "node:assert/strict";
import type { Stage } from "../stage.ts";

export const tells = "A person can ask for everything about himself";

const SECRET_KEY = new Uint8Array(32).fill(7);

export async function play(stage: Stage): Promise<void> {
  await stage.crowd(2);
  const alice = await stage.person("Alice", {
    secretKey: SECRET_KEY,
    nospam: 0xcafe0001,
    statusMessage: "here",
    status: "busy",
    port: 40_000,
  });
  const { tox } = alice;
  assert.deepEqual([tox.name, tox.statusMessage, tox.status], ["Alice", "here", "busy"]);
  assert.match(tox.publicKey, /^[0-9A-F]{64}$/);
  assert.equal(tox.id.slice(0, 72), `${tox.publicKey}CAFE0001`);
  assert.equal(tox.id.length, 76);
  assert.equal(tox.nospam, 0xcafe0001);
  assert.match(tox.dhtPublicKey, /^[0-9A-F]{64}$/);
  assert.notEqual(tox.dhtPublicKey, tox.publicKey);
  assert.equal(tox.udpPort, 40_000);
  assert.equal(tox.connection, "none");
  assert.deepEqual(tox.friends, []);
  await stage.hears(alice, "connection", ({ state }) => state === "udp");
  assert.equal(tox.connection, "udp");
  await stage.until("the nodes to be known", () => tox.nodeCount === 2);

  const { id, publicKey, dhtPublicKey } = tox;
  await stage.universe.wait(tox.close());
  assert.equal(tox.connection, "none");
  await stage.refuses("closed", () => tox.id);
  const again = await stage.restart(alice.host, "Alice", { secretKey: SECRET_KEY, nospam: 0xcafe0001 });
  assert.deepEqual([again.tox.id, again.tox.publicKey], [id, publicKey]);
  assert.notEqual(again.tox.dhtPublicKey, dhtPublicKey);
}
