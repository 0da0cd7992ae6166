import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { nodeEdges, parseProxyUrl, proxyStreams } from "../../../src/node/index.ts";
import { httpProxy } from "../../support/http_proxy.ts";
import { socksProxy } from "../../support/socks_proxy.ts";

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});
function kept<T extends { close(): void }>(one: T): T {
  open.push(one);
  return one;
}

async function echoPort(): Promise<number> {
  const server = kept(createServer((socket) => socket.on("error", () => {}).pipe(socket)).listen(0, "127.0.0.1"));
  await new Promise((resolve) => server.once("listening", resolve));
  return (server.address() as { port: number }).port;
}

const LOGIN = { user: "user", password: "p@ss:word" };
const KINDS = [
  ["socks5", socksProxy],
  ["http", httpProxy],
] as const;

describe.each(KINDS)("through a %s proxy", (scheme, start) => {
  it("hands names over as they are, and carries bytes", async () => {
    const proxy = kept(await start({ login: LOGIN }));
    const port = await echoPort();
    const login = `${LOGIN.user}:${encodeURIComponent(LOGIN.password)}`;
    const streams = proxyStreams(`${scheme}://${login}@127.0.0.1:${proxy.port}`);
    const stream = kept(await streams.connect({ host: "no.such.invalid", port }, { timeoutMs: 5000 }));
    expect(stream.remote).toBeUndefined();
    const heard = new Promise<number[]>((resolve) => {
      stream.onData = (bytes) => resolve([...bytes]);
    });
    stream.write(Uint8Array.of(7, 8));
    expect(await heard).toEqual([7, 8]);
    expect(proxy.targets).toEqual([`no.such.invalid:${port}`]);
  });

  it.each(["hang", "refuse", "nonsense"] as const)("says what is wrong with one that would %s", async (mode) => {
    const proxy = kept(await start({ mode }));
    const streams = proxyStreams(`${scheme}://127.0.0.1:${proxy.port}`);
    const failed = streams.connect({ host: "a.invalid", port: 1 }, { timeoutMs: mode === "hang" ? 100 : 5000 });
    await expect(failed).rejects.toMatchObject({ code: "proxy-failed" });
    expect(proxy.targets).toEqual(mode === "refuse" ? ["a.invalid:1"] : []);
  });

  it("fails with a wrong password, and where no proxy is", async () => {
    const proxy = kept(await start({ login: LOGIN }));
    const to = { host: "a.invalid", port: 1 };
    const wrong = proxyStreams(`${scheme}://x:y@127.0.0.1:${proxy.port}`).connect(to, { timeoutMs: 5000 });
    await expect(wrong).rejects.toMatchObject({ code: "proxy-failed" });
    proxy.close();
    const gone = proxyStreams(`${scheme}://127.0.0.1:${proxy.port}`).connect(to, { timeoutMs: 5000 });
    await expect(gone).rejects.toMatchObject({ code: "proxy-failed" });
  });

  it("gives up when told to", async () => {
    const proxy = kept(await start({ mode: "hang" }));
    const abort = new AbortController();
    const options = { timeoutMs: 60_000, signal: abort.signal };
    const given = proxyStreams(`${scheme}://127.0.0.1:${proxy.port}`).connect({ host: "a.invalid", port: 1 }, options);
    setTimeout(() => abort.abort(), 20);
    await expect(given).rejects.toMatchObject({ code: "aborted" });
  });
});

it.each([
  "",
  "ftp://a:1",
  "socks5://a",
  "socks5://:1",
  "http://a:0",
  "http://a:65536",
  "socks5://[z]:1",
  "http://%@a:1",
])("refuses %j as a proxy's URL", (text) => {
  expect(() => parseProxyUrl(text)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
});

it("with a proxy there is no UDP, no DNS and no listening", async () => {
  const edges = kept(nodeEdges({ proxy: "socks5://127.0.0.1:1" }));
  const at = { family: 4, port: 0 } as const;
  await expect(edges.datagrams.bind(at)).rejects.toMatchObject({ code: "network-unavailable" });
  await expect(edges.streams?.listen(at)).rejects.toMatchObject({ code: "network-unavailable" });
  expect(await edges.resolver.resolve("localhost")).toEqual([]);
  expect(await edges.resolver.resolve("127.0.0.1")).toEqual([Uint8Array.of(127, 0, 0, 1)]);
});
