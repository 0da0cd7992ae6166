import assert from "node:assert/strict";
import type { Stage } from "../stage.ts";

export const tells =
  "An app's own packets of ids 200 to 254 arrive whole and never twice; some get lost if the network is bad";

const LONGEST = 1373;
const ROUNDS = 4;

export async function play(stage: Stage): Promise<void> {
  const { bob, aliceSees } = await stage.twoFriends();
  const sent: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (let id = 200; id <= 254; id++) {
      const length = [2, 100, LONGEST][(round + id) % 3] as number;
      const packet = new Uint8Array(length).map((_, at) => [id, round][at] ?? id + at);
      aliceSees.sendPacket(packet);
      sent.push(String(packet));
      await stage.pass(5);
    }
  }
  await stage.pass(10_000);
  const heard = bob.heard.all("packet");
  const packets = heard.map(({ bytes }) => String(bytes));
  assert.ok(heard.every(({ lossless }) => !lossless));
  assert.equal(new Set(packets).size, packets.length, "none comes twice");
  assert.deepEqual(
    packets.filter((packet) => !sent.includes(packet)),
    [],
  );
  if (stage.weather.reliable) assert.deepEqual(packets, sent);
  else assert.ok(packets.length > sent.length / 2, `${packets.length} of ${sent.length}`);

  for (const id of [192, 199, 255]) {
    await stage.refuses("packet-id-reserved", () => aliceSees.sendPacket(Uint8Array.of(id, 1)));
  }
  await stage.refuses("packet-too-long", () => aliceSees.sendPacket(new Uint8Array(LONGEST + 1).fill(200)));
}
