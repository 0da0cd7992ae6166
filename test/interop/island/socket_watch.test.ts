import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type SocketUse, socketUse, watched } from "../../support/socket_watch.ts";
import { netnsAvailable, Sandbox } from "../netns.ts";

const available = netnsAvailable() && spawnSync("strace", ["--version"]).error === undefined;

/** What a script of Node did in a namespace without a way out. */
async function useOf(script: string): Promise<SocketUse> {
  await using sandbox = await Sandbox.create();
  const directory = await mkdtemp(join(tmpdir(), "toxcore-ts-watch-"));
  try {
    const log = join(directory, "trace");
    const line = ["netns", "exec", sandbox.netns, ...watched(log, [process.execPath, "-e", script])];
    const { status, stderr } = spawnSync("ip", line, { encoding: "utf8" });
    expect(status, stderr).toBe(0);
    return await socketUse(log);
  } finally {
    await rm(directory, { recursive: true });
  }
}

const NOTHING: SocketUse = { addresses: [], bound: [], others: [], dns: false };

describe.skipIf(!available && process.env.CI === undefined)("the watch over sockets", () => {
  it("sees nothing of a script that does nothing", async () => {
    expect(await useOf("")).toEqual(NOTHING);
  });

  it("sees TCP, by IPv4 and IPv6, also what is refused", async () => {
    const connect = (host: string) => `require("net").connect(9, "${host}").on("error", () => {});`;
    expect(await useOf(connect("127.0.0.1") + connect("::1"))).toEqual({
      ...NOTHING,
      addresses: ["127.0.0.1:9", "[::1]:9"],
    });
  });

  it("sees a datagram", async () => {
    const script = `const s = require("dgram").createSocket("udp4"); s.send("x", 33445, "127.0.0.1", () => s.close());`;
    expect(await useOf(script)).toEqual({
      addresses: ["127.0.0.1:33445"],
      bound: ["0.0.0.0:0"],
      others: ["udp"],
      dns: false,
    });
  });

  it("sees a name asked for, in a thread of its own and by a resolver of its own", async () => {
    expect(await useOf(`require("dns").lookup("leak.invalid", () => {})`)).toMatchObject({ dns: true });
    const own = `const r = new (require("dns").Resolver)({ timeout: 100, tries: 1 }); r.setServers(["127.0.0.1"]);`;
    expect(await useOf(`${own} r.resolve4("leak.invalid", () => {})`)).toMatchObject({ dns: true, others: ["udp"] });
  });

  it("sees a socket for the machine's interfaces, a listener, and what a child does", async () => {
    expect(await useOf(`require("os").networkInterfaces()`)).toMatchObject({ others: ["netlink"] });
    expect(await useOf(`const s = require("net").createServer().listen(4000, "127.0.0.1", () => s.close())`)).toEqual({
      ...NOTHING,
      bound: ["127.0.0.1:4000"],
    });
    const child = `require("child_process").spawnSync(process.execPath, ["-e", 'require("net").connect(9, "127.0.0.1").on("error", () => {})'])`;
    expect(await useOf(child)).toMatchObject({ addresses: ["127.0.0.1:9"] });
  });
});
