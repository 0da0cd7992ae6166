import { describe, expect, it } from "vitest";
import { memoryStore, type Store, Tox, ToxError } from "../../src/core.ts";
import { Crypto } from "../../src/crypto/crypto.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import { readProfile } from "../../src/state/profile.ts";
import { decodeSavedata, encodeSavedata } from "../../src/state/savedata.ts";
import { SeededRandom } from "../../src/testing/seeded_random.ts";
import { fromUtf8 } from "../../src/util/text.ts";
import { parseToxId } from "../../src/wire/friend/tox_id.ts";
import { Story } from "../support/people.ts";

const crypto = new Crypto(sodiumProvider, new SeededRandom("profiles"));

/** The bytes of the `.tox` file in the store. */
async function profileIn(store: Store): Promise<Uint8Array> {
  return (await store.read("profile")) ?? new Uint8Array(0);
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "no error",
    (error: unknown) => (error instanceof ToxError ? error.code : String(error)),
  );
}

describe("a profile", () => {
  it("is the same person after an end in order, who knows what the friends told and when they were there", async () => {
    await using story = new Story();
    const store = memoryStore();
    const bob = await story.person("Bob", { statusMessage: "at home", status: "busy" });
    const alice = await story.person("Alice", { store, statusMessage: "here", status: "away", nospam: 7 });
    await story.befriend(alice, bob);
    await story.hears(alice, "friendStatus");
    const { id } = alice.tox;
    await story.universe.wait(alice.tox.close());
    await story.pass(10_000);

    const { tox } = await story.restart(alice.host, "Alice", { store });
    expect([tox.id, tox.statusMessage, tox.status, tox.nospam]).toEqual([id, "here", "away", 7]);
    const friend = tox.friend(bob.tox.publicKey);
    expect([friend?.name, friend?.statusMessage, friend?.status]).toEqual(["Bob", "at home", "busy"]);
    expect(friend?.connection).toBe("none");
    expect(story.universe.host("clock").edges.clock.wall() - (friend?.lastOnline ?? 0)).toBeCloseTo(10, 0);
    await story.until("Bob to be there again", () => friend?.connection === "udp");
  });

  it("of somebody killed twice knows whom he asks, and the way into the network", async () => {
    await using story = new Story();
    await story.crowd(3);
    const store = memoryStore();
    const bob = await story.person("Bob");
    const alice = await story.person("Alice", { store });
    await story.until("a network", () => alice.tox.connection !== "none" && bob.tox.connection !== "none");
    await story.pass(12_000);
    alice.host.crash();
    const again = await story.restart(alice.host, "Alice", { store, bootstrap: [] });
    await again.tox.addFriend(bob.tox.id, "it is me");
    again.host.crash();

    const third = await story.restart(alice.host, "Alice", { store, bootstrap: [] });
    const request = await story.hears(bob, "friendRequest");
    expect([request.publicKey, request.message]).toEqual([third.tox.publicKey, "it is me"]);
    request.accept();
    await story.until("both online", () => third.tox.friend(bob.tox.publicKey)?.connection === "udp");
  });

  it("leads back where UDP is off, over the relays and nodes that it holds", async () => {
    await using story = new Story();
    for (const name of ["one", "two", "three", "four"]) await story.publicNode(name);
    const store = memoryStore();
    const bob = await story.person("Bob");
    const alice = await story.person("Alice", { store, udp: false });
    await story.befriend(alice, bob);
    await story.universe.wait(alice.tox.close());
    const saved = decodeSavedata(await profileIn(store));
    expect(saved.relays.length).toBeGreaterThan(0);
    expect(saved.pathNodes.length).toBeGreaterThan(0);

    const { tox } = await story.restart(alice.host, "Alice", { store, udp: false, bootstrap: [] });
    await story.until("Bob to be there", () => tox.friend(bob.tox.publicKey)?.connection === "tcp");
    await story.until("the network to answer", () => tox.connection === "tcp");
  });

  it("holds who was added at the moment when that was answered, whatever comes", async () => {
    await using story = new Story();
    const store = memoryStore();
    const alice = await story.person("Alice", { store });
    const publicKey = crypto.keyPair().publicKey;
    await alice.tox.addFriendWithoutRequest(Buffer.from(publicKey).toString("hex"));
    expect(decodeSavedata(await profileIn(store)).friends.map((friend) => friend.publicKey)).toEqual([publicKey]);
    alice.tox.friends[0]?.remove();
    await story.pass(300);
    expect(decodeSavedata(await profileIn(store)).friends).toEqual([]);
  });

  it("keeps what it does not know, and takes a file of another client", async () => {
    await using story = new Story();
    const others = [
      { type: 7, bytes: Uint8Array.of(1, 2, 3) },
      { type: 20, bytes: Uint8Array.of(4) },
      { type: 99, bytes: Uint8Array.of(5, 6) },
    ];
    const alice = await story.person("Alice");
    const profile = encodeSavedata({ ...decodeSavedata(alice.tox.exportProfile()), others });
    const { id } = alice.tox;
    await story.universe.wait(alice.tox.close());
    const store = memoryStore();
    const { tox } = await story.restart(alice.host, "Alice", { store, profile });
    expect(tox.id).toBe(id);
    tox.statusMessage = "new";
    await tox.save();
    expect(decodeSavedata(await profileIn(store)).others).toEqual(others);
    expect(decodeSavedata(tox.exportProfile()).others).toEqual(others);
  });

  it("keeps names that are no UTF-8 as they are, our own of the full length too", async () => {
    await using story = new Story();
    const alice = await story.person("Alice");
    const own = { name: new Uint8Array(128).fill(0xff), statusMessage: new Uint8Array(1007).fill(0x80) };
    const publicKey = crypto.keyPair().publicKey;
    const friends = [{ kind: "confirmed", publicKey, ...own, status: "away", lastOnline: 5 }] as const;
    const profile = encodeSavedata({ ...decodeSavedata(alice.tox.exportProfile()), ...own, friends });
    await story.universe.wait(alice.tox.close());
    const env = { ...alice.host.edges, crypto: sodiumProvider };
    await using tox = await story.universe.wait(Tox.create(env, { profile }));
    expect([tox.name, tox.friends[0]?.name]).toEqual(["\ufffd".repeat(128), "\ufffd".repeat(128)]);
    expect(tox.exportProfile()).toEqual(profile);
  });

  it.each([
    ["an empty request, which means nothing", 0, false],
    ["the longest request that arrives", 921, true],
    ["a longer one than any that arrives", 1024, false],
  ])("may hold %s", async (_what, size, arrives) => {
    await using story = new Story();
    await story.crowd(3);
    const bob = await story.person("Bob");
    const alice = await story.person("Alice");
    const message = new Uint8Array(size).fill(0x61);
    const { publicKey, nospam } = parseToxId(bob.tox.id);
    const friends = [{ kind: "asked", publicKey, nospam, message, sent: true }] as const;
    const profile = encodeSavedata({ ...decodeSavedata(alice.tox.exportProfile()), friends });
    await story.universe.wait(alice.tox.close());
    const { tox } = await story.restart(alice.host, "Alice", { profile });
    await story.pass(60_000);
    expect(bob.heard.all("friendRequest").map((request) => request.message.length)).toEqual(arrives ? [size] : []);
    await bob.tox.addFriendWithoutRequest(tox.publicKey);
    await story.until("both online", () => tox.friends[0]?.connection === "udp");
  });

  it("gives way to what is said at the start, and holds that from then on", async () => {
    await using story = new Story();
    const store = memoryStore();
    const alice = await story.person("Alice", { store, statusMessage: "kept", nospam: 1, status: "away" });
    const { publicKey } = alice.tox;
    await story.universe.wait(alice.tox.close());
    const { tox } = await story.restart(alice.host, "Alicia", { store, nospam: 2, status: "busy" });
    expect([tox.publicKey, tox.name, tox.statusMessage]).toEqual([publicKey, "Alicia", "kept"]);
    await story.pass(200);
    const { name, statusMessage, nospam, status } = decodeSavedata(await profileIn(store));
    expect([fromUtf8(name), fromUtf8(statusMessage), nospam, status]).toEqual(["Alicia", "kept", 2, "busy"]);
  });

  it("is one person: another's secret key beside it is refused", async () => {
    await using story = new Story();
    const store = memoryStore();
    const alice = await story.person("Alice", { store });
    await story.universe.wait(alice.tox.close());
    const start = story.restart(alice.host, "Alice", { store, secretKey: new Uint8Array(32).fill(9) });
    expect(await codeOf(start)).toBe("invalid-argument");
    expect(alice.host.sockets).toEqual([]);
  });

  it("is refused when it is damaged, untouched, and the version before is named", async () => {
    await using story = new Story();
    const inner = memoryStore();
    const alice = await story.person("Alice", { store: inner });
    await story.universe.wait(alice.tox.close());
    const whole = await profileIn(inner);
    const damaged = whole.subarray(0, 100);
    await inner.write("profile", damaged);
    expect(await codeOf(story.restart(alice.host, "Alice", { store: inner }))).toBe("profile-damaged");
    const store = Object.assign(inner, { previous: async () => ({ bytes: whole, place: "the drawer" }) });
    await expect(story.restart(alice.host, "Alice", { store })).rejects.toThrow("the drawer");
    expect(await profileIn(store)).toEqual(damaged);
  });

  it("is damaged when its keys do not belong together", async () => {
    await using story = new Story();
    const alice = await story.person("Alice");
    const profile = alice.tox.exportProfile();
    expect(readProfile(profile, crypto).publicKey).toEqual(
      crypto.keyPairOf(readProfile(profile, crypto).secretKey).publicKey,
    );
    profile[8 + 8 + 4] = (profile[8 + 8 + 4] ?? 0) ^ 1;
    expect(() => readProfile(profile, crypto)).toThrow(expect.objectContaining({ code: "profile-damaged" }));
  });

  it("that cannot be written stays in memory, and is written when it can be", async () => {
    await using story = new Story();
    const inner = memoryStore();
    let full = false;
    let tries = 0;
    const store = Object.assign(Object.create(inner) as Store, {
      write: async (name: string, bytes: Uint8Array) => {
        if (name === "profile") tries++;
        if (full) throw new ToxError("disk-full", "Make room.");
        await inner.write(name, bytes);
      },
    });
    for (const method of ["read", "readJournal", "append", "rewriteJournal", "close"] as const) {
      Object.assign(store, {
        [method]: (...args: unknown[]) => (inner[method] as (...all: unknown[]) => unknown)(...args),
      });
    }
    const alice = await story.person("Alice", { store });
    full = true;
    alice.tox.name = "Alice the second";
    expect(await codeOf(alice.tox.save())).toBe("disk-full");
    expect(alice.tox.name).toBe("Alice the second");
    full = false;
    tries = 0;
    await story.pass(20_000);
    expect(tries).toBe(1);
    expect(new TextDecoder().decode(decodeSavedata(await profileIn(inner)).name)).toBe("Alice the second");
  });

  it("that is new and cannot be written is none: nobody is told an ID that will not last, and nothing goes on", async () => {
    await using story = new Story();
    const store = memoryStore();
    store.write = async () => {
      throw new ToxError("disk-full", "Make room.");
    };
    const host = story.universe.host("Alice");
    expect(await codeOf(story.restart(host, "Alice", { store }))).toBe("disk-full");
    expect([host.edges.clock.pending, host.sockets]).toEqual([0, []]);
  });

  it("is written once for what is done at once, and not at all for nothing", async () => {
    await using story = new Story();
    const store = memoryStore();
    const alice = await story.person("Alice", { store, alone: true });
    await story.pass(1_000);
    let writes = 0;
    const { write } = store;
    store.write = (name, bytes) => {
      if (name === "profile") writes++;
      return write.call(store, name, bytes);
    };
    for (let i = 0; i < 100; i++) alice.tox.statusMessage = `thought ${i}`;
    await story.pass(1_000);
    expect(writes).toBe(1);
    await story.pass(600_000);
    expect(writes).toBe(1);
  });
});
