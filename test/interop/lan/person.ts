/**
 * One of ours with LAN discovery, as a program for a network namespace. Its argument is its `ToxOptions` as JSON. It writes a
 * JSON object a line: first who it is, then each change of a friend's connection. Each line it reads names a friend to add.
 */
import { createInterface } from "node:readline";
import { Tox } from "../../../src/index.ts";

const tell = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

const tox = await Tox.create({ lan: true, ...JSON.parse(process.argv[2] ?? "{}") });
tox.on("friendConnection", ({ friend, state }) => tell({ friend: friend.publicKey, state }));
tell({ publicKey: tox.publicKey });
for await (const publicKey of createInterface({ input: process.stdin })) {
  await tox.addFriendWithoutRequest(publicKey);
}
await tox.close();
