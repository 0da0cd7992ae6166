import assert from "node:assert/strict";
import { decodeSavedata } from "../../../../src/state/savedata.ts";
import { golden } from "../../../support/golden.ts";
import type { Stage } from "../stage.ts";

export const tells = "Two friends whose profiles libtoxcore wrote meet here, and everything in them is as it was";

const ALICE = "F68A0401FED526D9B90EA5E655B5C0A7587EE8402E5F3545AF89248FCAEBBF7412345678B28C";
const BOB = "DA0E84EF68BE7F0BE8A0D64D29F62E24F3BEDCBA0ECE1825E418B0EE7ED7F537F9AA3B33540B";
const ASKED = "CA4641EC5BB7CABFBDA41538E34A99CDD4A6EBBD3B51E97D08D30652682BC506";

export async function play(stage: Stage): Promise<void> {
  await stage.crowd(2);
  const profile = golden("alice");
  const { tox: alice } = await stage.person("Alice", { profile });
  assert.equal(alice.id, ALICE);
  assert.deepEqual([alice.name, alice.statusMessage, alice.status], ["Älice", "written by 0.2.18", "busy"]);
  const [bob, asked] = alice.friends;
  assert.deepEqual([bob?.publicKey, asked?.publicKey], [BOB.slice(0, 64), ASKED]);
  assert.deepEqual([bob?.name, bob?.statusMessage, bob?.status], ["Bob", "her friend", "away"]);
  assert.equal(new Date(1000 * (bob?.lastOnline ?? 0)).getUTCFullYear(), 2026);
  const [theirs, ours] = [decodeSavedata(profile), decodeSavedata(alice.exportProfile())];
  assert.deepEqual(ours.friends, theirs.friends);
  assert.deepEqual(ours.others, theirs.others);
  assert.deepEqual(
    theirs.others.map(({ type }) => type),
    [20],
  );

  const { tox: him } = await stage.person("Bob", { profile: golden("bob") });
  assert.equal(him.id, BOB);
  await stage.everybodyOnline([bob, ...him.friends].filter((friend) => friend !== undefined));
}
