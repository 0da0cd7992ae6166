import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { netnsAvailable } from "../netns.ts";
import { libtoxcoreAvailable, ToxcorePeer } from "../toxcore.ts";
import { becomeFriends } from "./become_friends.ts";
import { bootstrapArgs, Island, ONLY_THE_PROXY, PROXY, PROXY_HOST, PROXY_PORT } from "./island.ts";

const available = netnsAvailable() && ["strace", "iptables", "tox-bootstrapd"].every(isInstalled);
if (!available) console.log("proxy tests skipped: they need root on Linux, strace, iptables and toxcore-utils");
const PATIENCE_MS = 120_000;
const LOGIN = { user: "tox", password: "p@ss:word" };
const WITH_LOGIN = `${LOGIN.user}:${encodeURIComponent(LOGIN.password)}@`;

const KINDS = [
  { title: "SOCKS5", kind: "socks5", login: undefined, url: `socks5://${PROXY}`, ours: false },
  { title: "SOCKS5 with a password", kind: "socks5", login: LOGIN, url: `socks5://${WITH_LOGIN}${PROXY}`, ours: true },
  { title: "HTTP CONNECT", kind: "http", login: undefined, url: `http://${PROXY}`, ours: true },
  {
    title: "HTTP CONNECT with a password",
    kind: "http",
    login: LOGIN,
    url: `http://${WITH_LOGIN}${PROXY}`,
    ours: false,
  },
] as const;

const BROKEN = (["socks5", "http"] as const).flatMap((kind) => [
  { kind, mode: "hangs", options: { mode: "hang" } as const },
  { kind, mode: "refuses", options: { mode: "refuse" } as const },
  { kind, mode: "answers nonsense", options: { mode: "nonsense" } as const },
  { kind, mode: "wants a password", options: { mode: "dial", login: LOGIN } as const },
]);

describe.skipIf(!available && process.env.CI === undefined)("through a proxy and nothing else", () => {
  it.concurrent.each(KINDS)("$title: two of ours become friends and talk", async ({ kind, login, url, ours }) => {
    expect(available).toBe(true);
    await using place = await Island.create();
    await using relays = await place.startRelays(ours ? "ours" : "theirs");
    await using proxy = await place.startProxy(kind, { mode: "dial", ...(login && { login }) });
    const flags = ["--proxy", url, ...bootstrapArgs(relays.nodes)];
    await using alice = place.startRpc("--name", "Alice", ...flags);
    await using bob = place.startRpc("--name", "Bob", ...flags);

    await becomeFriends(alice.program, bob.program);

    expect(await alice.socketUse()).toEqual(ONLY_THE_PROXY);
    expect(await bob.socketUse()).toEqual(ONLY_THE_PROXY);
    expect(place.dropped()).toBe(0);
    expect(new Set(await proxy.stop())).toEqual(new Set(relays.nodes.map(({ host, port }) => `${host}:${port}`)));
  });

  it.concurrent("without `--proxy` the watch and the firewall would tell", async () => {
    expect(available).toBe(true);
    await using place = await Island.create();
    const node = { host: "198.51.100.7", port: 33445, publicKey: "5A".repeat(32) };
    await using one = place.startRpc("--no-udp", ...bootstrapArgs([node]));
    await one.logged("no TCP relay can be reached");
    expect(await one.socketUse()).toEqual({ ...ONLY_THE_PROXY, addresses: ["198.51.100.7:33445"] });
    expect(place.dropped()).toBeGreaterThan(0);
  });

  it.concurrent.each(KINDS)("$title: it looks up the names of relays", async ({ kind, login, url }) => {
    expect(available).toBe(true);
    await using place = await Island.create();
    await using first = await place.startTheirRelay();
    await using second = await place.startOurRelay([first]);
    const names = { "first.example": first.host, "second.example": second.host };
    await using proxy = await place.startProxy(kind, { mode: "dial", names, ...(login && { login }) });
    const named = [
      { ...first, host: "first.example" },
      { ...second, host: "second.example" },
    ];
    await using alice = place.startRpc("--proxy", url, ...bootstrapArgs([...named, first]));
    await using bob = place.startRpc("--proxy", url, ...bootstrapArgs([second, named[0] ?? first]));
    await becomeFriends(alice.program, bob.program);
    expect(await alice.socketUse()).toEqual(ONLY_THE_PROXY);
    expect(await bob.socketUse()).toEqual(ONLY_THE_PROXY);
    expect(place.dropped()).toBe(0);
    expect(await proxy.stop()).toEqual(expect.arrayContaining(named.map(({ host, port }) => `${host}:${port}`)));
  });

  it.concurrent("`chat --say` is answered", async () => {
    expect(available).toBe(true);
    await using place = await Island.create();
    await using relays = await place.startRelays("theirs");
    await using _proxy = await place.startProxy("socks5", { mode: "dial" });
    const flags = ["--proxy", `socks5://${PROXY}`, ...bootstrapArgs(relays.nodes)];
    await using bob = place.startRpc("--name", "Bob", ...flags);
    const { id } = await bob.program.call("self");
    const said = place.run("chat", ...flags, "--say", "anybody there?", "--to", id);
    await bob.program.call("acceptFriend", { publicKey: (await bob.program.notified("friendRequest")).publicKey });
    const { friend, text } = await bob.program.notified("message");
    expect(text).toBe("anybody there?");
    await bob.program.call("send", { friend, text: "I am" });
    expect(await said).toEqual({ out: "Bob: I am", errors: "", how: "exit code 0", use: ONLY_THE_PROXY });
  });

  it.concurrent.each(BROKEN)("$mode by $kind: says so once, goes on, and works when it is mended", async (broken) => {
    expect(available).toBe(true);
    await using place = await Island.create();
    await using relay = await place.startOurRelay();
    await using proxy = await place.startProxy(broken.kind, broken.options);
    const url = `${broken.kind}://${PROXY}`;
    await using one = place.startRpc("--proxy", url, ...bootstrapArgs([relay]));
    await one.logged("no TCP relay can be reached");
    expect((await one.program.call("self")).connection).toBe("none");
    await proxy.stop();
    await using _mended = await place.startProxy(broken.kind, { mode: "dial" });
    expect(await one.program.notified("connection")).toEqual({ state: "tcp" });
    expect(one.log().trimEnd().split("\n").length, one.log()).toBe(1);
    expect(one.log()).toContain(`${broken.kind} proxy ${PROXY}`);
    expect(await one.socketUse()).toEqual(ONLY_THE_PROXY);
    expect(place.dropped()).toBe(0);
  });

  it.concurrent.each(KINDS.filter(({ login }) => !login))("$title: ours and libtoxcore talk", async ({ kind, url }) => {
    expect(available && libtoxcoreAvailable()).toBe(true);
    await using place = await Island.create();
    await using first = await place.startTheirRelay();
    await using second = await place.startOurRelay([first]);
    await using _proxy = await place.startProxy(kind, { mode: "dial" });
    await using watched = place.startRpc("--proxy", url, ...bootstrapArgs([first, second]));
    const proxy = { kind, host: PROXY_HOST, port: PROXY_PORT };
    await using theirs = await ToxcorePeer.start({ netns: place.island.netns, udp: false, proxy });
    for (const relay of [first, second]) {
      await theirs.bootstrap(relay);
      await theirs.addTcpRelay(relay);
    }
    const { program: ours } = watched;
    const { publicKey } = await ours.call("self");

    await ours.call("addFriend", { id: theirs.address, message: "Through the proxy?" });
    await theirs.waitFor("friendRequest", { publicKey }, PATIENCE_MS);
    await theirs.friendAddNorequest(publicKey);
    await theirs.waitFor("friendConnection", { friend: publicKey, state: "tcp" }, PATIENCE_MS);
    expect(await ours.notified("friendConnection")).toEqual({ friend: theirs.publicKey, state: "tcp" });
    await ours.call("send", { friend: theirs.publicKey, text: "from ours" });
    await theirs.waitFor("message", { text: "from ours" }, PATIENCE_MS);
    await theirs.send(publicKey, "from theirs");
    expect((await ours.notified("message")).text).toBe("from theirs");

    expect(await watched.socketUse()).toEqual(ONLY_THE_PROXY);
  });
});

function isInstalled(program: string): boolean {
  return spawnSync(program, ["--version"]).error === undefined;
}
