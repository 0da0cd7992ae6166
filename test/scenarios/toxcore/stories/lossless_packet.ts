import assert from "node:assert/strict";
import type { Stage } from "../stage.ts";

export const tells = "An app's own packets of ids 160 to 191 arrive whole, all and in order";

const LONGEST = 1373;

export async function play(stage: Stage): Promise<void> {
  const { bob, aliceSees } = await stage.twoFriends();
  const sent: Uint8Array[] = [];
  for (let id = 160; id <= 191; id++) {
    for (const length of [1, 2, LONGEST]) {
      const packet = new Uint8Array(length).map((_, at) => (at === 0 ? id : id + at));
      aliceSees.sendPacket(packet);
      sent.push(packet);
    }
  }
  await stage.until("all packets", () => bob.heard.all("packet").length >= sent.length);
  await stage.pass(10_000);
  const heard = bob.heard.all("packet");
  assert.deepEqual(
    heard.map(({ bytes }) => bytes),
    sent,
  );
  assert.ok(heard.every(({ lossless }) => lossless));

  await stage.refuses("packet-too-long", () => aliceSees.sendPacket(new Uint8Array(LONGEST + 1).fill(160)));
  await stage.refuses("invalid-argument", () => aliceSees.sendPacket(new Uint8Array(0)));
  for (const id of [0, 16, 64, 69, 159, 255]) {
    await stage.refuses("packet-id-reserved", () => aliceSees.sendPacket(Uint8Array.of(id, 1)));
  }
  bob.host.goOffline();
  await stage.until("Bob to be missed", () => aliceSees.connection === "none");
  await stage.refuses("friend-offline", () => aliceSees.sendPacket(Uint8Array.of(160, 1)));
}
