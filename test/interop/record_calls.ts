/**
 * Writes `test/support/golden/calls.json`: packets as libtoxav sends them in calls. `node test/interop/record_calls.ts`
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { FriendPacketId } from "../../src/wire/friend/packet_ids.ts";
import { RawFriend } from "./raw_friend.ts";
import { ToxcorePeer } from "./toxcore.ts";

const FILE = join(import.meta.dirname, "../support/golden/calls.json");
const [AUDIO, VIDEO, REPORT] = [192, 193, 196];
const [SEQUENCE_NUMBER_AT, TIMESTAMP_AT, FLAGS_AT, FRAME_SIZE_AT, HEADER_SIZE] = [3, 5, 20, 25, 81];
const ANSWER_ALL = [FriendPacketId.Msi, 1, 1, 1, 3, 1, 60, 0];

await using alice = await ToxcorePeer.start({ label: "alice", av: true });
using friend = await RawFriend.meet(alice);
const key = friend.publicKey;
const msi = async (act: () => Promise<void>) => {
  await act();
  const [packet] = await friend.takeMany(1, FriendPacketId.Msi);
  return hex(packet);
};

const invite = await msi(() => alice.calls.call(key, { audio: 32, video: 1500 }));
friend.sendLossless(...ANSWER_ALL);
await alice.waitFor("callState");
await alice.calls.sendTone(key, 440);
const audio = await friend.takeMany(4, AUDIO);
await alice.calls.stopTone(key);
await alice.calls.sendTone(key, 440, { channels: 2, sampleRate: 24_000, frameMs: 40 });
const [stereo] = (await friend.takeMany(3, AUDIO)).filter((packet) => view(packet).getUint32(HEADER_SIZE) === 24_000);
await alice.calls.stopTone(key);
await alice.calls.sendPicture(key, { width: 640, height: 480, frameRate: 10 });
const video = Map.groupBy(await friend.takeMany(24, VIDEO), sequenceNumber);
await alice.calls.stopPicture(key);
const isKey = (parts: Uint8Array[]) => parts[0]?.[FLAGS_AT] === 3;
const frames = [...video.values()].filter((parts) => total(parts) === frameSize(parts));
const keyFrame = frames.find((parts) => isKey(parts) && parts.length > 1) ?? [];
const deltaFrame = frames.find((parts) => !isKey(parts)) ?? [];

const report = hex((await provokeReport(keyFrame))[0]);
const mute = await msi(() => alice.calls.control(key, "muteAudio"));
const pause = await msi(() => alice.calls.control(key, "pause"));
const hangUp = await msi(() => alice.calls.control(key, "cancel"));
friend.sendLossless(FriendPacketId.Msi, 1, 1, 0, 3, 1, 52, 0);
await alice.waitFor("call");
const answer = await msi(() => alice.calls.answer(key, { audio: 48 }));
friend.sendLossless(FriendPacketId.Msi, 9, 0);
const invalid = hex((await friend.takeMany(1, FriendPacketId.Msi))[0]);

const msiPackets = { invite, answer, mute, pause, hangUp, invalid };
const media = {
  audio: audio.slice(0, 3).map(hex),
  stereo: hex(stereo),
  keyFrame: keyFrame.map(hex),
  deltaFrame: deltaFrame.map(hex),
};
writeFileSync(FILE, `${JSON.stringify({ msi: msiPackets, ...media, report }, undefined, 2)}\n`);

/** Frames without their last fragment, a second and a half long. */
async function provokeReport(parts: readonly Uint8Array[]): Promise<Uint8Array[]> {
  for (let i = 0; i < 45; i++) {
    for (const part of i % 3 === 0 ? parts.slice(0, -1) : parts) {
      const copy = part.slice();
      view(copy).setUint16(SEQUENCE_NUMBER_AT, 1000 + i);
      view(copy).setUint32(TIMESTAMP_AT, 1_000_000_000 + i * 40);
      friend.sendLossy(copy);
    }
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  return friend.takeMany(1, REPORT);
}

function view(packet: Uint8Array): DataView {
  return new DataView(packet.buffer, packet.byteOffset, packet.length);
}

function sequenceNumber(packet: Uint8Array): number {
  return view(packet).getUint16(SEQUENCE_NUMBER_AT);
}

function total(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length - HEADER_SIZE, 0);
}

function frameSize([first]: readonly Uint8Array[]): number {
  return first === undefined ? 0 : view(first).getUint32(FRAME_SIZE_AT);
}

function hex(packet: Uint8Array | undefined): string {
  if (packet === undefined) throw new Error("libtoxav has not sent it");
  return Buffer.from(packet).toString("hex");
}
