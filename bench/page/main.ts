/**
 * What a page in a call costs: the process with the gateway, an embedded Tox and a call with a friend who sends all of it back, beside the same
 * with WebCodecs in the page and one WebSocket. Needs Debian's chromium. See docs/performance.md.
 *
 *   npm run bench:page -- [--seconds N]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { program } from "commander";
import { chromium } from "playwright-core";
import { WebSocketServer } from "ws";
import { type Call, Tox } from "../../src/index.ts";
import { CallGateway } from "../../src/webrtc/index.ts";
import { figure, markdownTable } from "../support/table.ts";
import { WebSocketPage } from "./websocket_page.ts";

/** A call, its gateway and its page settle first, in ms. */
const SETTLING = 6_000;
const HOST = "127.0.0.1";
const SWITCHES = [
  "--no-sandbox",
  "--disable-gpu",
  "--allow-loopback-in-peer-connection",
  "--disable-background-networking",
];
const QUIETLY = ["--disable-component-update", "--autoplay-policy=no-user-gesture-required"];

/** `alone`: a call without a page; `flashes`: by WebRTC, with flashes; `direct`: the same without us. */
type Way = "webrtc" | "websocket" | "alone" | "flashes" | "direct";

interface Flashes {
  readonly sound: readonly number[];
  readonly picture: readonly number[];
}

const NO_FLASHES: Flashes = { sound: [], picture: [] };

interface Result {
  /** Of one core. */
  readonly cpu: number;
  /** Pictures a second. */
  readonly out: number;
  readonly back: number;
  /** kbit/s. */
  readonly rate: number;
  /** MiB that are in use after collection, at the end beyond the beginning. */
  readonly growth: number;
  /** ms in which the page holds sound back. */
  readonly held: number;
  /** How long the last flashes took, in ms. */
  readonly flashes: Flashes;
}

program.option("--seconds <N>", "how long each is measured", "20");
program.option("--only-webrtc", "the gateway alone, with pictures: for how memory goes over a long time");
program.option("--apart", "how far apart sound and pictures are, after the way to the friend and back");
const options = program.parse().opts<{ seconds: string; onlyWebrtc?: true; apart?: true }>();
const seconds = Number(options.seconds);
if (options.apart) {
  const median = (moments: readonly number[]) =>
    moments.toSorted((one, other) => one - other)[moments.length >> 1] ?? Number.NaN;
  const row = async (name: string, way: Way) => {
    const { flashes } = await measure(way, true);
    const [sound, picture] = [median(flashes.sound), median(flashes.picture)];
    return [name, ...[picture, sound, sound - picture].map((ms) => figure(ms))];
  };
  const rows = [await row("to the friend and back", "flashes"), await row("from the page to itself", "direct")];
  console.log(markdownTable(["ms, median of ten flashes", "picture", "sound", "sound after picture"], rows));
  process.exit();
}
if (options.onlyWebrtc) {
  console.log(await measure("webrtc", true));
  process.exit();
}
const rows: string[][] = [];
for (const video of [true, false]) {
  const alone = await measure("alone", video);
  const [webrtc, websocket] = [await measure("webrtc", video), await measure("websocket", video)];
  const row = (name: string, pick: (result: Result) => number) => {
    const [ours, other] = [pick(webrtc), pick(websocket)];
    rows.push([`${video ? "720p30" : "voice"}: ${name}`, figure(ours), figure(other), figure(ours / other)]);
  };
  row("% of a core", ({ cpu }) => cpu);
  row("of it beyond the same call without a page", ({ cpu }) => cpu - alone.cpu);
  row("MiB more in use at the end", ({ growth }) => growth);
  if (!video) row("ms of sound held in the page", ({ held }) => held);
  if (!video) continue;
  row("pictures sent, /s", ({ out }) => out);
  row("pictures that came back, /s", ({ back }) => back);
  row("kbit/s of them", ({ rate }) => rate);
}
console.log(markdownTable(["", "WebRTC", "WebCodecs and WebSocket", "ratio"], rows));

async function measure(way: Way, video: boolean): Promise<Result> {
  const quiet = { bindIpv4: HOST, ipv6: false, port: 0 } as const;
  await using node = await Tox.create(quiet);
  const bootstrap = [{ host: HOST, port: node.udpPort, publicKey: node.dhtPublicKey }];
  await using tox = await Tox.create({ ...quiet, bootstrap, name: "page" });
  const friendProcess = spawn(
    process.execPath,
    [`${import.meta.dirname}/friend.ts`, `${HOST}:${node.udpPort}:${node.dhtPublicKey}`],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  try {
    const [id] = (await once(createInterface(friendProcess.stdout), "line")) as [string];
    const friend = await tox.addFriend(id, "hello");
    while (friend.connection === "none") await pause(20);
    const call = friend.call({ audio: true, video });
    if (!(await call.answered)) throw new Error("nobody answered");
    return way === "alone" ? await withoutPage(call, video) : await withPage(call, way, video);
  } finally {
    friendProcess.stdin.end();
  }
}

/** As much sound and as many pictures as a page gives, from nowhere. */
async function withoutPage(call: Call, video: boolean): Promise<Result> {
  const opus = new Uint8Array(120).fill(1);
  opus[0] = 0xf8;
  const picture = new Uint8Array(1_500_000 / 8 / 30).fill(1);
  const sound = setInterval(() => call.audio.send({ data: opus }), 20);
  const pictures = setInterval(() => video && call.video.send({ data: picture }), 1000 / 30);
  try {
    await pause(SETTLING);
    const [memory, cpu, begin] = [inUse(), process.cpuUsage(), performance.now()];
    await pause(seconds * 1000);
    const { user, system } = process.cpuUsage(cpu);
    const elapsed = (performance.now() - begin) / 1000;
    return {
      cpu: (user + system) / 1e4 / elapsed,
      growth: inUse() - memory,
      out: 30,
      back: 30,
      rate: 1_500,
      held: 0,
      flashes: NO_FLASHES,
    };
  } finally {
    clearInterval(sound);
    clearInterval(pictures);
    call.hangUp();
  }
}

async function withPage(call: Call, way: Way, video: boolean): Promise<Result> {
  const isFlashing = way === "flashes" || way === "direct";
  const page = readFileSync(`${import.meta.dirname}/page.js`);
  const server = createServer(async (request, response) => {
    if (request.url === "/offer") {
      const offer = Buffer.concat(await request.toArray()).toString();
      response.end((await CallGateway.open(call, offer)).answer);
    } else if (request.url === "/page.js") {
      response.setHeader("content-type", "text/javascript").end(page);
    } else {
      response
        .setHeader("content-type", "text/html")
        .end('<!doctype html><body><script type="module" src="/page.js"></script>');
    }
  });
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on("connection", (socket) => {
    void CallGateway.join(call, async (events) => new WebSocketPage(socket, events));
  });
  server.listen(0, HOST);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: [...SWITCHES, ...QUIETLY] });
  try {
    const tab = await browser.newPage();
    tab.on("console", (message) => console.error(`page: ${message.text()}`));
    tab.on("pageerror", (error) => console.error(`page: ${error}`));
    await tab.goto(
      `http://${HOST}:${port}/?way=${way === "websocket" ? way : "webrtc"}&flash=${isFlashing ? 1 : 0}&direct=${way === "direct" ? 1 : 0}&video=${video ? 1 : 0}`,
      { waitUntil: "commit" },
    );
    await pause(SETTLING);
    const counts = () =>
      tab.evaluate("counts()") as Promise<Record<"framesSent" | "framesSeen" | "bytesSent" | "jitterBuffer", number>>;
    const [before, memory, cpu, begin] = [await counts(), inUse(), process.cpuUsage(), performance.now()];
    await pause(seconds * 1000);
    const { user, system } = process.cpuUsage(cpu);
    const elapsed = (performance.now() - begin) / 1000;
    const after = await counts();
    return {
      cpu: (user + system) / 1e4 / elapsed,
      out: (after.framesSent - before.framesSent) / elapsed,
      back: (after.framesSeen - before.framesSeen) / elapsed,
      rate: ((after.bytesSent - before.bytesSent) * 8) / 1000 / elapsed,
      growth: inUse() - memory,
      held: after.jitterBuffer * 1000,
      flashes: isFlashing ? ((await tab.evaluate("flashes()")) as Flashes) : NO_FLASHES,
    };
  } finally {
    call.hangUp();
    await browser.close();
    sockets.close();
    server.closeAllConnections();
    server.close();
  }
}

function inUse(): number {
  for (let round = 0; round < 3; round++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
