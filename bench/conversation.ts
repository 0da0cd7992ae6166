/**
 * Two of ours, and two of libtoxcore where it is installed, each in a process of its own on loopback, in one run: start to
 * friend online, message round trip, messages with receipts, idle CPU, import. Prints medians and ratios.
 *
 *   npm run bench
 */
import { execFileSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { libtoxcoreAvailable, monotonicMs, ToxcorePeer } from "../test/interop/toxcore.ts";
import { OurPeer } from "./our_peer.ts";

const ROUNDS = 5;
const ROUND_TRIPS = 200;
const IDLE_SECONDS = 20;

interface Row {
  readonly work: string;
  readonly unit: string;
  readonly ours: number;
  readonly theirs?: number | undefined;
}

interface Usage {
  readonly cpuSeconds: number;
  readonly rss: number;
}

const withToxcore = libtoxcoreAvailable();
if (!withToxcore) console.log("libtoxcore2 is not installed: our side only");

const online: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
for (let round = 0; round < ROUNDS; round++) {
  const { pair, milliseconds } = await startOurs();
  online.ours.push(milliseconds);
  await pair.close();
  if (withToxcore && round < 2) online.theirs.push(await startTheirsAndClose());
}

const { pair } = await startOurs();
await pair.bob.order({ do: "echo" });
await pair.alice.order({ do: "roundTrips", count: 50 });
const trips = (await pair.alice.order<{ milliseconds: number[] }>({ do: "roundTrips", count: ROUND_TRIPS }))
  .milliseconds;
await pair.close();

const { pair: flood } = await startOurs();
const { seconds } = await flood.alice.order<{ seconds: number }>({ do: "receipts", count: 20_000 });
await flood.close();

const { pair: idle } = await startOurs();
await delay(5_000);
const before = await idle.alice.order<Usage>({ do: "cpu" });
await delay(IDLE_SECONDS * 1000);
const after = await idle.alice.order<Usage>({ do: "cpu" });
await idle.close();

const theirs = withToxcore ? await measureTheirs() : undefined;

print([
  {
    work: "start to friend online",
    unit: "ms",
    ours: median(online.ours),
    theirs: withToxcore ? median(online.theirs) : undefined,
  },
  { work: "message round trip, median", unit: "ms", ours: median(trips), theirs: theirs?.roundTrip },
  { work: "messages with receipts", unit: "/s", ours: 20_000 / seconds, theirs: theirs?.receipts },
  {
    work: "idle CPU, one friend online",
    unit: "% of a core",
    ours: (100 * (after.cpuSeconds - before.cpuSeconds)) / IDLE_SECONDS,
  },
  { work: "memory, idle", unit: "MiB", ours: after.rss / 2 ** 20 },
  { work: 'import "toxcore-ts", above bare Node', unit: "ms", ours: importTime() },
]);

async function startOurs() {
  const [alice, bob] = await Promise.all([OurPeer.start(), OurPeer.start()]);
  const befriend = (peer: OurPeer, other: OurPeer) =>
    peer.order({
      do: "befriend",
      host: "127.0.0.1",
      port: other.port,
      dhtPublicKey: other.dhtPublicKey,
      publicKey: other.publicKey,
    });
  const bothOnline = Promise.all([alice.online(), bob.online()]);
  await Promise.all([befriend(alice, bob), befriend(bob, alice)]);
  const times = await bothOnline;
  const pair = { alice, bob, close: () => Promise.all([alice.close(), bob.close()]) };
  return { pair, milliseconds: Math.max(...times) - Math.max(alice.started, bob.started) };
}

async function startTheirs() {
  const start = monotonicMs();
  const [alice, bob] = await Promise.all([ToxcorePeer.start(), ToxcorePeer.start()]);
  await Promise.all([alice.bootstrap(bob.dhtNode), bob.bootstrap(alice.dhtNode)]);
  await Promise.all([alice.friendAddNorequest(bob.publicKey), bob.friendAddNorequest(alice.publicKey)]);
  const [a, b] = await Promise.all([
    alice.waitFor("friendConnection", {}, 60_000),
    bob.waitFor("friendConnection", {}, 60_000),
  ]);
  return { alice, bob, milliseconds: Math.max(a.at, b.at) - start };
}

async function startTheirsAndClose(): Promise<number> {
  const { alice, bob, milliseconds } = await startTheirs();
  await Promise.all([alice.close(), bob.close()]);
  return milliseconds;
}

async function measureTheirs(): Promise<{ roundTrip: number; receipts: number }> {
  const { alice, bob } = await startTheirs();
  const times: number[] = [];
  for (let i = 0; i < 40; i++) {
    const start = monotonicMs();
    await alice.send(bob.publicKey, `ping ${i}`);
    await bob.waitFor("message", { text: `ping ${i}` });
    await bob.send(alice.publicKey, `pong ${i}`);
    times.push((await alice.waitFor("message", { text: `pong ${i}` })).at - start);
  }
  const start = monotonicMs();
  const { messageIds } = await alice.sendMany(bob.publicKey, "message ", 10_000);
  const last = await alice.waitFor("receipt", { messageId: messageIds.at(-1) ?? 0 }, 120_000);
  await Promise.all([alice.close(), bob.close()]);
  return { roundTrip: median(times), receipts: (10_000 * 1000) / (last.at - start) };
}

function importTime(): number {
  const run = (code: string) => {
    const start = monotonicMs();
    execFileSync(process.execPath, ["--input-type=module", "-e", code], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
    });
    return monotonicMs() - start;
  };
  const times = Array.from({ length: 7 }, () => run('import "toxcore-ts"') - run(""));
  return median(times);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

function print(rows: readonly Row[]): void {
  const figure = (value: number | undefined) =>
    value === undefined ? "" : value >= 100 ? value.toFixed(0) : value.toPrecision(3);
  console.log("| work | unit | ours | libtoxcore | ratio |\n|---|---|---|---|---|");
  for (const { work, unit, ours, theirs } of rows) {
    const ratio = theirs === undefined ? "" : (ours / theirs).toPrecision(3);
    console.log(`| ${work} | ${unit} | ${figure(ours)} | ${figure(theirs)} | ${ratio} |`);
  }
}
