import { describe, expect, it } from "vitest";
import { toHex } from "../../../src/util/bytes.ts";
import { formatToxId, parseToxId } from "../../../src/wire/friend/tox_id.ts";
import { codeOf, World } from "./world.ts";

describe("the friend list", () => {
  it("knows its ID, and a new nospam changes it", async () => {
    const { friends, publicKey } = await new World().person("a");
    expect(parseToxId(friends.id)).toEqual({ publicKey, nospam: 7 });
    friends.nospam = 0xffff_ffff;
    expect(parseToxId(friends.id).nospam).toBe(0xffff_ffff);
    expect(codeOf(() => Object.assign(friends, { nospam: -1 }))).toBe("invalid-argument");
    expect(codeOf(() => Object.assign(friends, { nospam: 2 ** 32 }))).toBe("invalid-argument");
  });

  it("says with a code what is wrong with an ID or a request", async () => {
    const world = new World();
    const { friends } = await world.person("a");
    const id = formatToxId({ publicKey: world.keys("b").publicKey, nospam: 1 });
    const broken = `${id.slice(0, 74)}${id.endsWith("00") ? "01" : "00"}`;
    expect(codeOf(() => friends.add("abc", "hi"))).toBe("invalid-id");
    expect(codeOf(() => friends.add(broken, "hi"))).toBe("checksum-mismatch");
    expect(codeOf(() => friends.add(id, ""))).toBe("message-empty");
    expect(codeOf(() => friends.add(id, "ä".repeat(461)))).toBe("request-message-too-long");
    expect(codeOf(() => friends.add(friends.id, "hi"))).toBe("own-id");
    expect(friends.list()).toEqual([]);
    friends.add(id, `ä${"b".repeat(919)}`);
    expect(codeOf(() => friends.add(id, "again"))).toBe("already-friend");
    expect(codeOf(() => friends.addWithoutRequest(world.keys("b").publicKey))).toBe("already-friend");
    expect(codeOf(() => friends.addWithoutRequest("00"))).toBe("invalid-argument");
    expect(codeOf(() => friends.addWithoutRequest(new Uint8Array(32)))).toBe("weak-key");
    expect(codeOf(() => friends.addWithoutRequest(new Uint8Array(32).fill(0xff)))).toBe("weak-key");
  });

  it("finds friends by key in hex or bytes", async () => {
    const world = new World();
    const { friends } = await world.person("a");
    const key = world.keys("b").publicKey;
    const friend = friends.addWithoutRequest(toHex(key).toLowerCase());
    expect(friends.get(key)).toBe(friend);
    expect(friends.get(friend.publicKey)).toBe(friend);
    expect(friend.publicKey).toBe(toHex(key));
    expect(friends.get(world.keys("c").publicKey)).toBeUndefined();
    expect(friends.list()).toEqual([friend]);
  });

  it("keeps to the limits of name and status message", async () => {
    const { friends } = await new World().person("a");
    friends.selfName = "ä".repeat(64);
    expect(codeOf(() => Object.assign(friends, { selfName: `${"ä".repeat(64)}a` }))).toBe("name-too-long");
    expect(friends.selfName).toBe("ä".repeat(64));
    friends.selfStatusMessage = "b".repeat(1007);
    const tooLong = { selfStatusMessage: "b".repeat(1008) };
    expect(codeOf(() => Object.assign(friends, tooLong))).toBe("status-message-too-long");
    expect(codeOf(() => Object.assign(friends, { selfStatus: "asleep" }))).toBe("invalid-argument");
  });

  it("removes a friend: he sees us offline, his messages end, and he may be added again", async () => {
    const world = new World();
    const [a, b] = [await world.person("a"), await world.person("b")];
    const [toB, toA] = await world.befriend(a, b);
    expect(toA.connection).toBe("udp");
    const waiting = (await offlineFriend(world, a)).send("never");
    toB.remove();
    toB.remove();
    await world.run(1000);
    expect(toA.connection).toBe("none");
    expect(a.friends.get(b.publicKey)).toBeUndefined();
    expect(codeOf(() => toB.send("x"))).toBe("unknown-friend");
    expect(codeOf(() => toB.setTyping(true))).toBe("unknown-friend");
    expect(waiting.state).toBe("queued");

    const again = a.friends.addWithoutRequest(b.publicKey);
    await world.run(60_000);
    expect(again.connection).toBe("udp");
    expect(again).not.toBe(toB);
  });

  it("cancels what waits for a removed friend", async () => {
    const world = new World();
    const a = await world.person("a");
    const friend = await offlineFriend(world, a);
    const message = friend.send("never");
    friend.remove();
    expect(await message.delivered).toBe("cancelled");
    expect(a.friends.addWithoutRequest(friend.publicKey).queued).toBe(0);
  });

  it("closes: friends see us offline, messages are told, nothing is left to fire", async () => {
    const world = new World();
    const [a, b] = [await world.person("a"), await world.person("b")];
    const [toB, toA] = await world.befriend(a, b);
    const friend = await offlineFriend(world, a);
    const message = friend.send("later");
    await Promise.all([a.friends.close(), a.friends.close()]);
    expect(await message.delivered).toBe("closed");
    expect(message.state).toBe("closed");
    expect(a.clock.pending).toBe(0);
    await world.run(200);
    expect(toA.connection).toBe("none");
    for (const use of [
      () => toB.send("x"),
      () => toB.sendPacket(Uint8Array.of(160)),
      () => toB.remove(),
      () => a.friends.addWithoutRequest(world.keys("d").publicKey),
      () => Object.assign(a.friends, { selfName: "x" }),
    ]) {
      expect(codeOf(use)).toBe("closed");
    }
    expect(message.cancel()).toBe(false);
  });
});

describe("all outboxes together", () => {
  it("list what waits, and find each message by its id until it is settled", async () => {
    const world = new World();
    const { friends } = await world.person("a");
    const [b, c] = ["b", "c"].map((name) => friends.addWithoutRequest(world.keys(name).publicKey));
    const messages = [c?.send("to c"), b?.send("to b"), c?.send("to c again")];
    expect(friends.outbox().map(({ friend, message }) => [friend, message])).toEqual([
      [b, messages[1]],
      [c, messages[0]],
      [c, messages[2]],
    ]);
    for (const message of messages) {
      expect(friends.queuedMessage(message?.id ?? "")).toBe(message);
      expect(friends.queuedMessage(message?.id.toLowerCase() ?? "")).toBe(message);
    }
    for (const id of ["", "x", "00", "0".repeat(16), `${messages[0]?.id}00`]) {
      expect(friends.queuedMessage(id)).toBeUndefined();
    }
    messages[0]?.cancel();
    b?.remove();
    expect(friends.queuedMessage(messages[0]?.id ?? "")).toBeUndefined();
    expect(friends.queuedMessage(messages[1]?.id ?? "")).toBeUndefined();
    expect(friends.outbox().map(({ message }) => message)).toEqual([messages[2]]);
  });
});

describe("a tox: link", () => {
  it("is asked with, and with the message that it brings", async () => {
    const world = new World();
    const [a, b] = [await world.person("a"), await world.person("b")];
    const asked: string[] = [];
    b.friends.on("friendRequest", ({ message }) => asked.push(message));
    const friend = a.friends.add(`tox:${b.friends.id}?message=from%20the%20link`);
    await world.run(100);
    expect(asked).toEqual(["from the link"]);
    friend.remove();
    b.friends.nospam = 9;
    a.friends.add(`TOX:${b.friends.id}?message=from%20the%20link`, "from a person").remove();
    expect(codeOf(() => a.friends.add(`tox:${b.friends.id}`))).toBe("message-empty");
    expect(codeOf(() => a.friends.add(`tox:${"0".repeat(75)}`, "x"))).toBe("invalid-id");
    expect(codeOf(() => a.friends.add(`tox:${b.friends.id}?message=${"a".repeat(922)}`))).toBe(
      "request-message-too-long",
    );
  });
});

async function offlineFriend(world: World, person: Awaited<ReturnType<World["person"]>>) {
  return person.friends.addWithoutRequest(world.keys("nobody").publicKey);
}
