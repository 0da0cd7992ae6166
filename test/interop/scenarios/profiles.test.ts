import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeInterop } from "../toxcore.ts";
import { type Ours, type Pair, startOurs, startPair, TOXCORE_PATIENCE_MS, untilOnline } from "../two_sides.ts";

const LONGEST_NAME = 128;
const LONGEST_STATUS_MESSAGE = 1007;

/** The empty one comes last, when there is something to be emptied. */
function texts(longest: number): [kind: string, text: string][] {
  return [
    ["a short", "x"],
    ["a Unicode", "Zoë 💬 שלום \u0000 end"],
    ["the longest", "n".repeat(longest)],
    ["a two-byte", "é".repeat(Math.floor(longest / 2))],
    ["an empty", ""],
  ];
}

describeInterop("profiles with libtoxcore", () => {
  let pair: Pair;
  let carol: Ours;

  beforeAll(async () => {
    pair = await startPair({ ours: { name: "Öurs", statusMessage: "here", status: "busy" } });
    carol = await startOurs({ name: "carol", bootstrap: [pair.ours.node] });
    await carol.tox.addFriendWithoutRequest(pair.ours.tox.publicKey);
    await pair.ours.tox.addFriendWithoutRequest(carol.tox.publicKey);
    await carol.tox.addFriendWithoutRequest(pair.theirs.publicKey);
    await pair.theirs.friendAddNorequest(carol.tox.publicKey);
    await untilOnline(carol, pair.theirs);
    await carol.heard.waitFor("friendConnection", (it) => it.friend.publicKey === pair.ours.tox.publicKey);
  });

  afterAll(async () => {
    await carol?.tox.close();
    await pair?.[Symbol.asyncDispose]();
  });

  describe("self_query", () => {
    it("tells ours who we are, and whom we have added in which order", async () => {
      const { tox, heard } = pair.ours;
      await heard.waitFor("connection", ({ state }) => state === "udp");
      const nospam = tox.nospam.toString(16).toUpperCase().padStart(8, "0");
      expect(tox.id).toMatch(new RegExp(`^${tox.publicKey}${nospam}[0-9A-F]{4}$`));
      expect(tox.dhtPublicKey).not.toBe(tox.publicKey);
      expect(tox).toMatchObject({ connection: "udp", name: "Öurs", statusMessage: "here", status: "busy" });
      const added = [pair.theirs.publicKey, carol.tox.publicKey];
      expect(tox.friends.map(({ publicKey }) => publicKey)).toEqual(added);
    });

    it("tells theirs the same of them", async () => {
      const { theirs, ours } = pair;
      expect(theirs.address.startsWith(theirs.publicKey)).toBe(true);
      await theirs.waitFor("selfConnection", ({ state }) => state !== "none", TOXCORE_PATIENCE_MS);
      expect(await theirs.connectionStatus()).not.toBe("none");
      expect(await theirs.friends()).toEqual([ours.tox.publicKey, carol.tox.publicKey]);
    });
  });

  describe("friend_query", () => {
    it("tells ours of them", async () => {
      const { ours, theirs, friend } = pair;
      expect(ours.tox.friend(theirs.publicKey.toLowerCase())).toBe(friend);
      expect(ours.tox.friend(theirs.dhtId)).toBeUndefined();
      expect(friend).toMatchObject({ publicKey: theirs.publicKey, connection: "udp", queued: 0, typing: false });
      expect(friend.lastOnline).toBeGreaterThan(0);
    });

    it("tells theirs of us", async () => {
      const { ours, theirs } = pair;
      expect(await theirs.friendConnectionStatus(ours.tox.publicKey)).toBe("udp");
      expect(await theirs.lastOnline(ours.tox.publicKey)).toBeGreaterThan(0);
      const unknown = theirs.friendConnectionStatus(theirs.dhtId);
      await expect(unknown).rejects.toMatchObject({ code: "TOX_ERR_FRIEND_BY_PUBLIC_KEY_NOT_FOUND" });
    });

    it("tells both what was there before they met", async () => {
      const { ours, theirs } = pair;
      const friend = ours.tox.publicKey;
      await theirs.waitFor("friendName", { friend, name: "Öurs" });
      await theirs.waitFor("friendStatusMessage", { friend, statusMessage: "here" });
      await theirs.waitFor("friendStatus", { friend, status: "busy" });
    });
  });

  describe("set_name", () => {
    it.each(texts(LONGEST_NAME))("shows them %s one", async (_, name) => {
      const { ours, theirs } = pair;
      ours.tox.name = name;
      await theirs.waitFor("friendName", { friend: ours.tox.publicKey, name });
    });

    it.each(texts(LONGEST_NAME))("shows us %s one", async (_, name) => {
      const { ours, theirs, friend } = pair;
      await theirs.setName(name);
      await ours.heard.waitFor("friendName", (event) => event.friend === friend && event.name === name);
      expect(friend.name).toBe(name);
    });

    it("takes no byte more than the longest", async () => {
      const { ours, theirs } = pair;
      for (const longer of ["n".repeat(LONGEST_NAME + 1), `${"é".repeat(LONGEST_NAME / 2)}.`]) {
        const set = () => {
          ours.tox.name = longer;
        };
        expect(set).toThrow(expect.objectContaining({ code: "name-too-long" }));
        await expect(theirs.setName(longer)).rejects.toMatchObject({ code: "TOX_ERR_SET_INFO_TOO_LONG" });
      }
    });
  });

  describe("set_status_message", () => {
    it.each(texts(LONGEST_STATUS_MESSAGE))("shows them %s one", async (_, statusMessage) => {
      const { ours, theirs } = pair;
      ours.tox.statusMessage = statusMessage;
      await theirs.waitFor("friendStatusMessage", { friend: ours.tox.publicKey, statusMessage });
    });

    it.each(texts(LONGEST_STATUS_MESSAGE))("shows us %s one", async (_, statusMessage) => {
      const { ours, theirs, friend } = pair;
      await theirs.setStatusMessage(statusMessage);
      const matches = (event: { statusMessage: string }) => event.statusMessage === statusMessage;
      await ours.heard.waitFor("friendStatusMessage", matches);
      expect(friend.statusMessage).toBe(statusMessage);
    });

    it("takes no byte more than the longest", async () => {
      const { ours, theirs } = pair;
      const longer = "s".repeat(LONGEST_STATUS_MESSAGE + 1);
      const set = () => {
        ours.tox.statusMessage = longer;
      };
      expect(set).toThrow(expect.objectContaining({ code: "status-message-too-long" }));
      await expect(theirs.setStatusMessage(longer)).rejects.toMatchObject({ code: "TOX_ERR_SET_INFO_TOO_LONG" });
    });
  });

  describe("user_status", () => {
    it.each(["away", "busy", "none"] as const)("%s is seen on both sides", async (status) => {
      const { ours, theirs, friend } = pair;
      ours.tox.status = status;
      await theirs.waitFor("friendStatus", { friend: ours.tox.publicKey, status }, TOXCORE_PATIENCE_MS);
      await theirs.setStatus(status);
      await ours.heard.waitFor("friendStatus", (event) => event.friend === friend && event.status === status);
      expect(friend.status).toBe(status);
    });
  });

  describe("typing", () => {
    it.each([true, false, true, false])("%s is seen on both sides", async (on) => {
      const { ours, theirs, friend } = pair;
      friend.setTyping(on);
      await theirs.waitFor("typing", { friend: ours.tox.publicKey, on });
      await theirs.setTyping(ours.tox.publicKey, on);
      await ours.heard.waitFor("typing", (event) => event.friend === friend && event.on === on);
      expect(friend.typing).toBe(on);
    });

    it("is nobody else's business", () => {
      expect(carol.heard.all("typing").filter(({ on }) => on)).toEqual([]);
      expect(pair.theirs.drain("typing").filter(({ on }) => on)).toEqual([]);
    });
  });
});
