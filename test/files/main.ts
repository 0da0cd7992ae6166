/** Sends large files, kills who sends or receives, and looks at memory: `npm run test:files -- [--size MIB] [PART …]`. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, createReadStream, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Argument, Command, InvalidArgumentError } from "commander";
import { ToxNode } from "../../src/core.ts";
import { loadCryptoProvider, nodeEdges } from "../../src/node/index.ts";
import { ToxcorePeer } from "../interop/toxcore.ts";
import type { Orders } from "./person.ts";
import { type MemoryTaken, Side, until } from "./side.ts";

const MEBIBYTE = 1024 * 1024;
/** Until two of ours, or ours and libtoxcore, are online for each other. */
const ONLINE_MS = 120_000;
/** What a transfer may take more than idling does, alive after the garbage has been collected. */
const MOST_ALIVE = 8 * MEBIBYTE;
/** libtoxcore sends on when it is told to pause: so much can be under way. */
const MOST_UNDER_WAY = 45 * MEBIBYTE;
/** What was sent in all, where a half of it went before the kill. */
const MOST_SENT = 1.05;

interface World {
  readonly folder: string;
  readonly node: Orders["node"];
  readonly size: number;
  /** The file, and its hash. */
  readonly path: string;
  readonly hash: string;
  /** Another, to be sent first: what is compiled and set up with the first transfer is no cost of the one that is measured. */
  readonly small: string;
}

const PARTS: Readonly<Record<string, (world: World) => Promise<string>>> = {
  "to-theirs": toTheirs,
  "from-theirs": fromTheirs,
  "receiver-killed": (world) => killed(world, "receiver"),
  "sender-killed": (world) => killed(world, "sender"),
  "eight-at-once": eightAtOnce,
};

const command = new Command("npm run test:files --")
  .description("Sends large files, to libtoxcore too; kills processes at half of it; measures what memory that takes.")
  .addArgument(new Argument("[part...]", "what to do; everything, if left out").choices(Object.keys(PARTS)))
  .option("--size <MIB>", "of the file", parseCount, 1024)
  .parse();
const { size: mebibytes } = command.opts<{ size: number }>();

const folder = mkdtempSync(join(tmpdir(), "toxcore-ts-files-"));
const edges = nodeEdges();
const node = await ToxNode.create(
  { ...edges, crypto: await loadCryptoProvider(), release: edges.close },
  { port: 0, ipv6: false, bindIpv4: "127.0.0.1" },
);
try {
  const path = join(folder, "film.bin");
  const hash = makeFile(path, mebibytes);
  const small = join(folder, "picture.bin");
  makeFile(small, 4);
  const at = { host: "127.0.0.1", port: node.udpPort, publicKey: node.publicKey };
  for (const [name, part] of Object.entries(PARTS)) {
    if (command.args.length > 0 && !command.args.includes(name)) continue;
    const place = join(folder, name);
    mkdirSync(place);
    const summary = await part({ folder: place, node: at, size: mebibytes * MEBIBYTE, path, hash, small });
    console.log(`${name}: ${summary}`);
    rmSync(place, { recursive: true });
  }
} finally {
  await node.close();
  rmSync(folder, { recursive: true, force: true });
}

async function toTheirs(world: World): Promise<string> {
  await using theirs = await ToxcorePeer.start();
  const ours = await startBeside(world, theirs);
  const to = join(world.folder, "there.bin");
  const send = async (path: string) => {
    ours.send(path);
    const { file } = await theirs.waitFor("fileOffer", {}, ONLINE_MS);
    await theirs.acceptFile(ours.publicKey, file, { path: to });
    const { state, seconds } = await ours.over(patience(world));
    await theirs.waitFor("fileDone", { file }, patience(world));
    return { state, seconds };
  };
  await send(world.small);
  const idle = await ours.idle();
  const { state, seconds } = await send(world.path);
  assert.deepEqual([state, await hashOf(to)], ["done", world.hash]);
  await ours.end();
  return `whole, ${rate(world, seconds)}; ours: ${memoryOf(idle, ours.memory, MOST_ALIVE)}`;
}

async function fromTheirs(world: World): Promise<string> {
  await using theirs = await ToxcorePeer.start();
  const ours = await startBeside(world, theirs);
  const send = async (path: string) => {
    await theirs.sendFile(ours.publicKey, { path, name: basename(path) });
    return ours.over(patience(world));
  };
  await send(world.small);
  const idle = await ours.idle();
  const { state, seconds, hash } = await send(world.path);
  assert.deepEqual([state, hash], ["done", world.hash]);
  await ours.end();
  return `whole, ${rate(world, seconds)}; ours: ${memoryOf(idle, ours.memory, MOST_ALIVE + MOST_UNDER_WAY)}`;
}

async function killed(world: World, victim: "sender" | "receiver"): Promise<string> {
  const [sender, receiver] = await startTwo(world);
  const idle = [await sender.idle(), await receiver.idle()] as const;
  const sentBefore = sender.sent;
  sender.send(world.path);
  await until("half of the file", () => receiver.bytes >= world.size / 2, patience(world));
  const [one, other] = victim === "sender" ? [sender, receiver] : [receiver, sender];
  await sender.measure();
  await one.kill();
  await one.start(other.publicKey, world.node);
  const away = await until("both to be online again", () => one.online && other.online, ONLINE_MS);
  const { state, hash } = await receiver.over(patience(world));
  assert.deepEqual([state, hash], ["done", world.hash]);
  await sender.measure();
  const sent = (sender.sent - sentBefore) / world.size;
  assert.ok(sent < MOST_SENT, `the sender sent ${sent} times the file`);
  await Promise.all([sender.end(), receiver.end()]);
  const [sending, receiving] = [
    memoryOf(idle[0], sender.memory, MOST_ALIVE),
    memoryOf(idle[1], receiver.memory, MOST_ALIVE),
  ];
  return `whole; online again after ${(away / 1000).toFixed(1)} s; sent ${sent.toFixed(3)} times; sender ${sending}; receiver ${receiving}`;
}

async function eightAtOnce(world: World): Promise<string> {
  const [sender, receiver] = await startTwo(world);
  const idle = [await sender.idle(), await receiver.idle()] as const;
  const files = Array.from({ length: 8 }, (_, i) => join(world.folder, `part ${i}`.replace(" ", "-")));
  const hashes = files.map((path) => makeFile(path, Math.max(1, mebibytes / 8)));
  const started = performance.now();
  for (const path of files) sender.send(path);
  const came: string[] = [];
  for (const _ of files) came.push((await receiver.over(patience(world))).hash);
  const seconds = (performance.now() - started) / 1000;
  assert.deepEqual(came.sort(), hashes.sort());
  await Promise.all([sender.end(), receiver.end()]);
  const [sending, receiving] = [
    memoryOf(idle[0], sender.memory, 8 * MOST_ALIVE),
    memoryOf(idle[1], receiver.memory, 8 * MOST_ALIVE),
  ];
  return `all whole, ${rate(world, seconds)}; sender ${sending}; receiver ${receiving}`;
}

async function startBeside({ folder, node }: World, theirs: ToxcorePeer): Promise<Side> {
  const ours = await Side.create(folder);
  await theirs.bootstrap(node);
  await theirs.friendAddNorequest(ours.publicKey);
  await ours.start(theirs.publicKey, node);
  await until("them to be online", () => ours.online, ONLINE_MS);
  await theirs.waitFor("friendConnection", { friend: ours.publicKey }, ONLINE_MS);
  return ours;
}

async function startTwo(world: World): Promise<[sender: Side, receiver: Side]> {
  const { folder, node } = world;
  const places = ["sender", "receiver"].map((name) => join(folder, name));
  for (const place of places) mkdirSync(place);
  const [sender, receiver] = (await Promise.all(places.map((place) => Side.create(place)))) as [Side, Side];
  await Promise.all([sender.start(receiver.publicKey, node), receiver.start(sender.publicKey, node)]);
  await until("both to be online", () => sender.online && receiver.online, ONLINE_MS);
  sender.send(world.small);
  await Promise.all([sender.over(patience(world)), receiver.over(patience(world))]);
  return [sender, receiver];
}

/** Throws where more was alive at any time than may be. */
function memoryOf(idle: MemoryTaken, taken: readonly MemoryTaken[], most: number): string {
  const alive = Math.max(...taken.map((one) => one.alive)) - idle.alive;
  const resident = Math.max(...taken.map((one) => one.resident));
  assert.ok(alive < most, `${alive} bytes more were alive than before, where ${most} are the most`);
  const mib = (bytes: number) => (bytes / MEBIBYTE).toFixed(1);
  return `${mib(alive)} MiB alive beyond idling, ${mib(resident)} MiB resident (${mib(idle.resident)} idling)`;
}

function rate({ size }: World, seconds: number): string {
  return `${(size / MEBIBYTE / seconds).toFixed(1)} MiB/s`;
}

/** Even a busy machine, and libtoxcore, make 2 MiB/s. */
function patience({ size }: World): number {
  return 120_000 + size / 2048;
}

/** Makes a file that nothing could compress, and answers its SHA-256. */
function makeFile(path: string, mebibytes: number): string {
  const hash = createHash("sha256");
  const fd = openSync(path, "w");
  for (let i = 0; i < mebibytes; i++) {
    const piece = randomBytes(MEBIBYTE);
    hash.update(piece);
    writeSync(fd, piece);
  }
  closeSync(fd);
  return hash.digest("hex");
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path, { highWaterMark: MEBIBYTE })) hash.update(piece);
  return hash.digest("hex");
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError("Give a number from 1 to 999999.");
  return Number(text);
}
