import { once } from "node:events";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type Demo, startDemo } from "../../../examples/embed-call/demo.ts";
import { type CallServer, type CallServerOptions, serveCalls } from "../../../examples/embed-call/server.ts";
import { FakePage } from "../webrtc/fake_page.ts";

type Json = ReturnType<typeof JSON.parse>;

/** One network for all tests: each has a server of its own, and ends its call. */
let demo: Demo;
let echo: string;
const servers: CallServer[] = [];

beforeAll(async () => {
  demo = await startDemo("You");
  echo = demo.tox.friends[0]?.publicKey ?? "";
  if (demo.tox.friend(echo)?.connection === "none") {
    await new Promise((resolve) => demo.tox.on("friendConnection", resolve));
  }
});
afterAll(async () => {
  for (const server of servers) await server.close();
  await demo.close();
});

interface Place {
  readonly server: CallServer;
  readonly host: string;
  readonly token: string;
}

async function serve(options: CallServerOptions = {}): Promise<Place> {
  const server = await serveCalls(demo.tox, options);
  servers.push(server);
  const { host, hash } = new URL(server.url);
  return { server, host, token: hash.slice(1) };
}

/** What a request gets, with its path and headers as they are given. */
function get(
  { host }: Place,
  path: string,
  { method = "GET", ...headers }: Record<string, string> = {},
): Promise<Json> {
  const [hostname, port] = host.split(":");
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, method, headers }, async (response) => {
      let body = "";
      for await (const part of response) body += part;
      resolve({ status: response.statusCode, headers: response.headers, body });
    });
    asked.on("error", reject).end();
  });
}

/** The status that a WebSocket is refused with, or 101. */
async function knock(
  { host, token }: Place,
  changes: { path?: string; token?: string; origin?: string; host?: string },
) {
  const { path = "/rpc", origin = `http://${host}` } = changes;
  const headers = changes.host === undefined ? {} : { host: changes.host };
  const protocols = changes.token === "" ? [] : [changes.token ?? token];
  const socket = new WebSocket(`ws://${host}${path}`, protocols, { origin, headers });
  socket.on("error", () => {});
  const opened = once(socket, "open").then(() => 101);
  opened.catch(() => {});
  const refused = once(socket, "unexpected-response").then(([, response]) => response.statusCode);
  const status = await Promise.race([opened, refused]);
  socket.terminate();
  return status;
}

/** A page without a browser. */
class Window {
  readonly socket: WebSocket;
  readonly told: Json[] = [];
  readonly #answers = new Map<number, (answer: Json) => void>();
  #look = () => {};

  private constructor({ host, token }: Place) {
    this.socket = new WebSocket(`ws://${host}/rpc`, token, { origin: `http://${host}` });
    this.socket.on("message", (line) => {
      const message = JSON.parse(String(line));
      if ("id" in message) this.#answers.get(message.id)?.(message);
      else this.told.push(message);
      this.#look();
    });
  }

  static async open(place: Place): Promise<Window> {
    const page = new Window(place);
    await once(page.socket, "open");
    return page;
  }

  async ask(method: string, params: object = {}): Promise<Json> {
    const id = this.#answers.size + 1;
    const answer = new Promise<Json>((resolve) => this.#answers.set(id, resolve));
    this.socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    const { result, error } = await answer;
    return result ?? error;
  }

  /** Waits for a notification, which may have come already. */
  async hears(method: string, matches: (params: Json) => boolean = () => true): Promise<Json> {
    for (;;) {
      const found = this.told.find((one) => one.method === method && matches(one.params));
      if (found !== undefined) return found.params;
      await new Promise<void>((resolve) => {
        this.#look = resolve;
      });
    }
  }

  /** Takes the call by WebRTC, as far as a gateway sees it. */
  async join(): Promise<FakePage> {
    const media = new FakePage();
    const { sdp } = await this.ask("joinCall", { friend: echo, sdp: await media.offer() });
    await media.take(sdp);
    return media;
  }

  async call(): Promise<FakePage> {
    await this.ask("call", { friend: echo, video: true });
    const media = await this.join();
    await this.hears("callState", ({ state }) => state === "active");
    return media;
  }

  /** Nothing is left for the next test. */
  async hangUp(): Promise<void> {
    await this.ask("hangUp", { friend: echo });
    await this.hears("callState", ({ state }) => state === "ended");
    this.socket.terminate();
  }
}

describe("the page's files", () => {
  it("are those of a list, for this host alone, with all that protects them", async () => {
    const place = await serve();
    const index = await get(place, "/");
    expect(index).toMatchObject({ status: 200, headers: { "content-type": "text/html; charset=utf-8" } });
    const policy = index.headers["content-security-policy"];
    for (const part of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"]) {
      expect(policy).toContain(part);
    }
    expect(index.headers).toMatchObject({ "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" });
    const names = [...index.body.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, name]) => name);
    expect(names).toEqual(["/icon.svg", "/style.css", "/main.js"]);
    const modules = new Set(names);
    for (const name of modules) {
      const { status, body } = await get(place, name);
      expect([name, status]).toEqual([name, 200]);
      for (const [, next] of body.matchAll(/from "\.(\/[^"]+)"/g)) modules.add(next);
    }
    expect(modules.size).toBeGreaterThan(6);
    for (const path of [
      "/../server.ts",
      "/%2e%2e/server.ts",
      "/..%2fserver.ts",
      "//etc/passwd",
      "/constructor",
      "/x",
      "*",
    ]) {
      expect([path, (await get(place, path)).status]).toEqual([path, 404]);
    }
    for (const method of ["POST", "HEAD", "PUT"]) expect((await get(place, "/", { method })).status).toBe(405);
  });

  it("are not given to a name that leads here", async () => {
    const place = await serve();
    const [, port] = place.host.split(":");
    expect((await get(place, "/", { host: `localhost:${port}` })).status).toBe(200);
    for (const host of [`rebound.example:${port}`, "127.0.0.1", "127.0.0.1:1", `127.0.0.1:${port}.example`]) {
      expect([host, (await get(place, "/", { host })).status]).toEqual([host, 403]);
    }
  });
});

describe("the page's connection", () => {
  it("is for who has the token, from the page itself", async () => {
    const place = await serve();
    expect(place.token).toMatch(/^[\w-]{43}$/);
    expect(await knock(place, {})).toBe(101);
    for (const token of ["", "x", `${place.token}x`, place.token.slice(1), place.token.toLowerCase()]) {
      expect([token, await knock(place, { token })]).toEqual([token, 401]);
    }
    for (const origin of ["http://evil.example", "null", `https://${place.host}`, "http://127.0.0.1"]) {
      expect([origin, await knock(place, { origin })]).toEqual([origin, 403]);
    }
    const foreign = { host: "rebound.example", origin: "http://rebound.example" };
    expect(await knock(place, foreign)).toBe(403);
    expect(await knock(place, { path: "/" })).toBe(404);
  });

  it("ends with a message that is too large, with too many requests, or with bytes", async () => {
    const place = await serve();
    const closedBy = async (send: (socket: WebSocket) => void) => {
      const { socket } = await Window.open(place);
      send(socket);
      const [code] = await once(socket, "close");
      return code;
    };
    expect(await closedBy((socket) => socket.send("x".repeat((256 << 10) + 1)))).toBe(1009);
    expect(await closedBy((socket) => socket.send(Buffer.from("{}")))).toBe(1008);
    const many = (socket: WebSocket) => {
      const line = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "joinCall", params: { friend: echo, sdp: "v=0" } });
      for (let i = 0; i < 1_000; i++) socket.send(line);
    };
    expect(await closedBy(many)).toBe(1008);
  });

  it("is had by eight pages at most", async () => {
    const place = await serve();
    const pages = await Promise.all(Array.from({ length: 8 }, () => Window.open(place)));
    expect(await knock(place, {})).toBe(503);
    pages[0]?.socket.close();
    await once(pages[0]?.socket as WebSocket, "close");
    expect(await (await Window.open(place)).ask("self")).toMatchObject({ name: "You" });
    for (const { socket } of pages) socket.terminate();
  });

  it("reaches no file of this machine, and does not end the program", async () => {
    const page = await Window.open(await serve());
    for (const method of ["close", "sendFile", "acceptFile", "setAvatar", "save", "removeFriend", "sendPacket"]) {
      expect([method, (await page.ask(method)).code]).toEqual([method, -32601]);
    }
    for (const one of [{ record: "/tmp/x" }, { audioSource: "/etc/passwd" }, { videoSource: "test-picture" }]) {
      expect(await page.ask("call", { friend: echo, ...one })).toMatchObject({ code: -32602 });
    }
    expect(await page.ask("joinCall", { friend: echo, sdp: "v=0" })).toMatchObject({ data: { code: "no-call" } });
    expect(await page.ask("joinCall", { friend: echo })).toMatchObject({ data: { code: "invalid-argument" } });
    page.socket.terminate();
  });
});

describe("a call", () => {
  it("goes from the page to the echo and back, and on when the page is loaded again", async () => {
    const place = await serve();
    const page = await Window.open(place);
    const media = await page.call();
    const opus = Uint8Array.of(0xf8, 1, 2, 3);
    for (let i = 0; media.seen.audio.length === 0; i++) {
      media.send("audio", { sequence: i, timestamp: i * 960, marker: false, payload: opus });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect([...(media.seen.audio[0]?.payload ?? [])]).toEqual([...opus]);
    expect(await page.ask("joinedCalls")).toEqual([echo]);
    page.socket.terminate();
    await media.close();

    const again = await Window.open(place);
    await expect.poll(() => again.ask("joinedCalls")).toEqual([]);
    expect(await again.ask("calls")).toMatchObject([{ friend: echo, direction: "outgoing", state: "active" }]);
    const next = await again.join();
    expect(await again.ask("joinedCalls")).toEqual([echo]);
    await again.hangUp();
    await next.close();
  });

  it("is taken by another window, and the one that had it is told", async () => {
    const place = await serve();
    const [one, other] = [await Window.open(place), await Window.open(place)];
    const first = await one.call();
    const second = await other.join();
    expect(await one.hears("callTaken")).toEqual({ friend: echo });
    one.socket.terminate();
    await first.close();
    expect(await other.ask("joinedCalls")).toEqual([echo]);
    expect(await other.ask("calls")).toMatchObject([{ state: "active" }]);
    expect(other.told.filter(({ method }) => method === "callTaken")).toEqual([]);
    await other.hangUp();
    await second.close();
  });

  it("is hung up when its page does not come back", async () => {
    const place = await serve({ grace: 200 });
    const [page, witness] = [await Window.open(place), await Window.open(place)];
    const media = await page.call();
    page.socket.terminate();
    expect(await witness.hears("callState", ({ state }) => state === "ended")).toMatchObject({
      reason: "hung-up",
      by: "us",
    });
    witness.socket.terminate();
    await media.close();
  });

  it("is hung up when its page has gone before it joined, and nobody is left", async () => {
    const place = await serve({ grace: 200 });
    const page = await Window.open(place);
    await page.ask("call", { friend: echo });
    const [call] = demo.tox.calls;
    page.socket.terminate();
    expect(await call?.ended).toEqual({ reason: "hung-up", by: "us" });
  });
});
