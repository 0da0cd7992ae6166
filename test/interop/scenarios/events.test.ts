import { expect, it } from "vitest";
import type { ToxEvents } from "../../../src/index.ts";
import { describeInterop, type EventName, type PeerEvent, ToxcorePeer } from "../toxcore.ts";
import { befriend, introduce, startOurs } from "../two_sides.ts";

const STORY = ["message 0", "packet 0", "message 1", "packet 1", "message 2", "packet 2"];

describeInterop("events", () => {
  it.concurrent("come to ours in the order in which theirs did things", async () => {
    await using ours = await startOurs();
    const told: string[] = [];
    const note = <N extends keyof ToxEvents>(name: N, describe: (event: ToxEvents[N]) => string) =>
      ours.tox.on(name, (event) => told.push(describe(event)));
    note("friendConnection", ({ state }) => `connection ${state}`);
    note("friendName", ({ name }) => `name ${name}`);
    note("friendStatusMessage", ({ statusMessage }) => `status message ${statusMessage}`);
    note("friendStatus", ({ status }) => `status ${status}`);
    note("message", ({ text }) => text);
    note("packet", ({ bytes }) => `packet ${bytes[1]}`);

    await using theirs = await ToxcorePeer.start();
    await theirs.setName("theirs");
    await theirs.setStatusMessage("there");
    await theirs.setStatus("away");
    await introduce(ours, theirs);
    await befriend(ours, theirs);
    await ours.heard.waitFor("friendStatus");
    const saidAll = STORY.map(async (line) => {
      const number = Number(line.at(-1));
      if (line.startsWith("message")) await theirs.send(ours.tox.publicKey, line);
      else await theirs.sendLossless(ours.tox.publicKey, Uint8Array.of(160, number));
    });
    await Promise.all(saidAll);
    await ours.heard.waitFor("packet", ({ bytes }) => bytes[1] === 2);
    await theirs.close();
    await ours.heard.waitFor("friendConnection", ({ state }) => state === "none");
    const met = ["connection udp", "name theirs", "status message there", "status away"];
    expect(told).toEqual([...met, ...STORY, "connection none"]);
  });

  it.concurrent("come to theirs in the order in which ours did things", async () => {
    await using ours = await startOurs({ name: "ours", statusMessage: "here", status: "away" });
    await using theirs = await ToxcorePeer.start();
    await theirs.setName("theirs");
    await introduce(ours, theirs);
    const friend = await ours.tox.addFriendWithoutRequest(theirs.publicKey);
    await theirs.friendAddNorequest(ours.tox.publicKey);
    const connected = await theirs.waitFor("friendConnection", { state: "udp" }, 60_000);
    await ours.heard.waitFor("friendName", undefined, 60_000); // before his first packet, messages wait to know who he is
    for (const line of STORY) {
      if (line.startsWith("message")) friend.send(line);
      else friend.sendPacket(Uint8Array.of(160, Number(line.at(-1))));
    }
    const last = await theirs.waitFor("lossless", { hex: "A002" });
    await ours.tox.close();
    const gone = await theirs.waitFor("friendConnection", { state: "none" });

    const told: PeerEvent<EventName>[] = [connected, last, gone];
    for (const name of ["friendName", "friendStatusMessage", "friendStatus", "message", "lossless"] as const) {
      told.push(...theirs.drain(name));
    }
    told.sort((a, b) => a.at - b.at);
    const met = ["connection udp", "name ours", "status message here", "status away"];
    expect(told.map(inWords)).toEqual([...met, ...STORY, "connection none"]);
  });
});

function inWords(event: PeerEvent<EventName>): string {
  if ("state" in event) return `connection ${event.state}`;
  if ("name" in event) return `name ${event.name}`;
  if ("statusMessage" in event) return `status message ${event.statusMessage}`;
  if ("status" in event) return `status ${event.status}`;
  if ("text" in event) return event.text;
  return "hex" in event ? `packet ${Number.parseInt(event.hex.slice(2), 16)}` : event.event;
}
