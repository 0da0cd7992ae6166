import { createSocket } from "node:dgram";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { Tox as CoreTox } from "../../src/core.ts";
import { nobleProvider } from "../../src/crypto/noble.ts";
import { MemoryMetrics, memoryStore, Tox, ToxError } from "../../src/index.ts";
import { Universe } from "../../src/testing/index.ts";
import { Story } from "../support/people.ts";

const LOCAL = { bindIpv4: "127.0.0.1", ipv6: false, port: 0 } as const;
const SECRET = "0123456789ABCDEF".repeat(4);

const codeOf = async (fn: () => unknown): Promise<string> => {
  try {
    await fn();
  } catch (error) {
    if (error instanceof ToxError) return error.code;
    throw error;
  }
  return "no error";
};

describe("an instance", () => {
  it("has the ID of its key and nospam", async () => {
    await using tox = await Tox.create({ ...LOCAL, secretKey: SECRET, nospam: 0x01020304 });
    expect(tox.id).toMatch(new RegExp(`^${tox.publicKey}01020304[0-9A-F]{4}$`));
    await using again = await Tox.create({ ...LOCAL, secretKey: SECRET.toLowerCase(), nospam: 0x01020304 });
    expect(again.id).toBe(tox.id);
    expect(again.dhtPublicKey).not.toBe(tox.dhtPublicKey);
  });

  it("does not touch the secret key it was given", async () => {
    const secretKey = new Uint8Array(32).fill(3);
    await (await Tox.create({ ...LOCAL, secretKey })).close();
    expect(secretKey).toEqual(new Uint8Array(32).fill(3));
  });

  it("contacts nobody of its own accord", async () => {
    await using story = new Story();
    story.universe.trace.start();
    const alice = await story.person("Alice", { alone: true });
    await alice.tox.addFriendWithoutRequest(`${"AB".repeat(31)}0B`);
    await story.pass(600_000);
    expect(story.universe.trace.entries).toEqual([]);
    expect(alice.tox.connection).toBe("none");
  });

  it("tells when the network answers, and when it does not any more", async () => {
    await using story = new Story();
    await story.crowd(3);
    const alice = await story.person("Alice");
    await story.hears(alice, "connection", ({ state }) => state === "udp", 5_000);
    alice.host.goOffline();
    await story.hears(alice, "connection", ({ state }) => state === "none", 300_000);
    alice.host.goOnline();
    await story.hears(alice, "connection", ({ state }) => state === "udp", 120_000);
  });

  it("finds its bootstrap node when that one starts later", async () => {
    await using story = new Story();
    const late = story.universe.host("late");
    const secret = await story.restart(late, "probe");
    const node = { host: late.address, port: secret.tox.udpPort, publicKey: secret.tox.dhtPublicKey };
    late.goOffline();
    const alice = await story.person("Alice", { bootstrap: [node] });
    await story.pass(30_000);
    expect(alice.tox.connection).toBe("none");
    late.goOnline();
    await story.hears(alice, "connection", ({ state }) => state === "udp", 60_000);
  });
});

describe("a caller's mistake", () => {
  it.each<[string, object, string]>([
    ["a short secret key", { secretKey: "AB" }, "invalid-argument"],
    ["a nospam out of range", { nospam: 2 ** 32 }, "invalid-argument"],
    ["a port out of range", { port: 65536 }, "invalid-argument"],
    ["a long name", { name: "n".repeat(129) }, "name-too-long"],
    ["a long status message", { statusMessage: "s".repeat(1008) }, "status-message-too-long"],
    ["a bootstrap node without a key", { bootstrap: [{ host: "x", port: 1, publicKey: "" }] }, "invalid-argument"],
    ["an aborted signal", { signal: AbortSignal.abort() }, "aborted"],
  ])("is refused at the start: %s", async (_, options, code) => {
    expect(await codeOf(() => Tox.create({ ...LOCAL, ...options }))).toBe(code);
  });

  it("leaves nothing behind when it is refused at the start", async () => {
    await using story = new Story();
    const host = story.universe.host("Alice");
    const start = story.restart(host, "n".repeat(129));
    await expect(start).rejects.toMatchObject({ code: "name-too-long" });
    expect(host.sockets).toEqual([]);
    expect(host.edges.clock.pending).toBe(0);
  });

  it("is a store that cannot be read", async () => {
    const broken = Object.assign(memoryStore(), { readJournal: () => Promise.reject(new Error("the disk is gone")) });
    const host = new Universe({ seed: 1 }).host("Alice");
    await expect(CoreTox.create({ ...host.edges, crypto: nobleProvider }, { store: broken })).rejects.toThrow(
      "the disk",
    );
    expect(host.sockets).toEqual([]);
    expect(host.edges.clock.pending).toBe(0);
  });

  it("is a damaged profile, which is named", async () => {
    const store = Object.assign(memoryStore(), { place: "alice.tox" });
    await store.write("profile", new Uint8Array(100));
    const host = new Universe({ seed: 1 }).host("Alice");
    const start = CoreTox.create({ ...host.edges, crypto: nobleProvider }, { store });
    await expect(start).rejects.toMatchObject({
      code: "profile-damaged",
      message: expect.stringMatching(/^alice\.tox: The profile is damaged/),
    });
  });

  it("is a port in use", async () => {
    const taken = createSocket("udp4").bind(0, "127.0.0.1");
    await once(taken, "listening");
    expect(await codeOf(() => Tox.create({ ...LOCAL, port: taken.address().port }))).toBe("port-in-use");
    taken.close();
  });

  it("is refused in what it asks for", async () => {
    await using tox = await Tox.create(LOCAL);
    await using other = await Tox.create(LOCAL);
    const broken = `${other.id.slice(0, 70)}${other.id[70] === "0" ? "1" : "0"}${other.id.slice(71)}`;
    expect(await codeOf(() => tox.addFriend("nonsense", "hi"))).toBe("invalid-id");
    expect(await codeOf(() => tox.addFriend(broken, "hi"))).toBe("checksum-mismatch");
    expect(await codeOf(() => tox.addFriend(tox.id, "hi"))).toBe("own-id");
    expect(await codeOf(() => tox.addFriend(other.id, ""))).toBe("message-empty");
    expect(await codeOf(() => tox.addFriend(other.id, "x".repeat(922)))).toBe("request-message-too-long");
    const friend = await tox.addFriend(other.id, "x".repeat(921));
    expect(await codeOf(() => tox.addFriend(other.id, "again"))).toBe("already-friend");
    expect(await codeOf(() => tox.addFriendWithoutRequest(other.publicKey))).toBe("already-friend");
    expect(await codeOf(() => tox.addFriendWithoutRequest("00".repeat(32)))).toBe("weak-key");
    expect(await codeOf(() => friend.send(""))).toBe("message-empty");
    expect(await codeOf(() => friend.send("ü".repeat(687)))).toBe("message-too-long");
    expect(await codeOf(() => friend.sendPacket(Uint8Array.of(160)))).toBe("friend-offline");
    expect(await codeOf(() => friend.sendPacket(Uint8Array.of(64, 1)))).toBe("packet-id-reserved");
    expect(await codeOf(() => tox.bootstrap({ host: "name.invalid", port: 1, publicKey: other.publicKey }))).toBe(
      "host-not-found",
    );
    expect(await codeOf(() => tox.bootstrap({ host: "127.0.0.1", port: 0, publicKey: other.publicKey }))).toBe(
      "invalid-argument",
    );
    friend.remove();
    expect(await codeOf(() => friend.send("hello?"))).toBe("unknown-friend");
    expect(tox.friends).toEqual([]);
  });

  it("is to use it after close", async () => {
    const tox = await Tox.create(LOCAL);
    const friend = await tox.addFriendWithoutRequest(`${"AB".repeat(31)}0B`);
    const message = friend.send("too late");
    await tox.close();
    await tox.close();
    expect(await message.delivered).toBe("closed");
    expect(await codeOf(() => tox.id)).toBe("closed");
    expect(await codeOf(() => tox.friends)).toBe("closed");
    expect(await codeOf(() => tox.addFriend(`${"AB".repeat(38)}`, "x"))).toBe("closed");
    expect(await codeOf(() => tox.on("message", () => {}))).toBe("closed");
    expect(await codeOf(() => friend.send("x"))).toBe("closed");
    expect(
      await codeOf(() => {
        tox.name = "x";
      }),
    ).toBe("closed");
  });
});

describe("an instance that is bound to one address", () => {
  it("reaches relays, its own among them, from there alone", async () => {
    const seen: (string | undefined)[][] = [];
    await using story = new Story();
    const [relay] = await story.relays(1);
    const alice = await story.person("Alice", {
      bindIpv4: "0.0.0.0",
      relayPort: 4444,
      relays: [relay?.at ?? expect.fail()],
      env: (host) => ({
        streams: {
          listen: (options) => host.edges.streams.listen(options),
          connect: (to, options) => {
            seen.push([options.fromIpv4, options.fromIpv6]);
            return host.edges.streams.connect(to, options);
          },
        },
      }),
    });
    await alice.tox.addFriendWithoutRequest("42".repeat(32));
    await story.pass(5_000);
    expect(seen.length).toBeGreaterThanOrEqual(2);
    expect(new Set(seen.map(String))).toEqual(new Set(["0.0.0.0,"]));
  });
});

describe("the outbox", () => {
  it("is found again by an instance with the same store", async () => {
    await using story = new Story();
    await story.crowd(2);
    const store = memoryStore();
    const secretKey = new Uint8Array(32).fill(5);
    const bob = await story.person("Bob");
    const alice = await story.person("Alice", { store, secretKey });
    (await alice.tox.addFriendWithoutRequest(bob.tox.publicKey)).send("written before the end");
    await story.pass(100);
    await story.universe.wait(alice.tox.close());

    const returned = await story.restart(alice.host, "Alice", { store, secretKey });
    expect(returned.tox.friend(bob.tox.publicKey)?.queued).toBe(1);
    await bob.tox.addFriendWithoutRequest(returned.tox.publicKey);
    expect(await story.hears(bob, "message")).toMatchObject({ text: "written before the end" });
  });
});

describe("counters", () => {
  it("tell of what was dropped", async () => {
    const metrics = new MemoryMetrics();
    await using tox = await Tox.create({ ...LOCAL, metrics });
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) =>
      socket.send(Uint8Array.of(0x1a, 1, 2), tox.udpPort, "127.0.0.1", () => resolve()),
    );
    await expect.poll(() => Object.keys(metrics.snapshot()).filter((name) => name.startsWith("drop."))).not.toEqual([]);
    socket.close();
  });
});
