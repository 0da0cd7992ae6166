import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ivfSource, wavSource } from "../../../src/media/index.ts";
import { dominantFrequency } from "../../support/recognise.ts";
import { type RpcClient, startRpc } from "../../support/rpc_client.ts";
import { scratch } from "../../support/scratch.ts";

const folder = scratch();

interface Side {
  readonly rpc: RpcClient;
  readonly publicKey: string;
}

async function friends(alice: RpcClient, bob: RpcClient): Promise<[Side, Side]> {
  const [one, other] = [await alice.call("self"), await bob.call("self")];
  await bob.call("bootstrap", { host: "127.0.0.1", port: one.udpPort, publicKey: one.dhtPublicKey });
  await alice.call("addFriendWithoutRequest", { publicKey: other.publicKey });
  await bob.call("addFriendWithoutRequest", { publicKey: one.publicKey });
  for (const rpc of [alice, bob]) await rpc.notified("friendConnection", ({ state }) => state !== "none");
  return [
    { rpc: alice, publicKey: one.publicKey },
    { rpc: bob, publicKey: other.publicKey },
  ];
}

const stateOf = ({ rpc }: Side, state: string) => rpc.notified("callState", (params) => params.state === state);

async function statsAbove({ rpc }: Side, friend: string, name: string, least: number): Promise<object> {
  for (;;) {
    const stats = await rpc.call("callStats", { friend });
    if (stats[name] > least) return stats;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe("calls over rpc", () => {
  it("ring, carry a tone and a test picture, are recorded, and end", async () => {
    const place = folder();
    await using one = startRpc();
    await using other = startRpc();
    const [alice, bob] = await friends(one, other);
    const record = join(place, "bob hears");
    await alice.rpc.call("call", {
      ...{ friend: bob.publicKey, audio: true, video: true },
      ...{ audioSource: "tone:440", videoSource: "test-picture:320x240@20" },
    });
    await stateOf(alice, "ringing");
    const incoming = await bob.rpc.notified("incomingCall");
    expect(incoming).toEqual({ friend: alice.publicKey, audio: true, video: true });
    await bob.rpc.call("answer", { friend: alice.publicKey, audioSource: "tone:1000", record });
    await Promise.all([stateOf(alice, "active"), stateOf(bob, "active")]);
    await statsAbove(bob, alice.publicKey, "audioFramesReceived", 100);
    await statsAbove(bob, alice.publicKey, "videoFramesReceived", 20);
    expect(await statsAbove(alice, bob.publicKey, "audioFramesReceived", 50)).toMatchObject({
      videoFramesReceived: 0,
      audioBitRate: 48_000,
    });

    await bob.rpc.call("callControl", { friend: alice.publicKey, pause: true });
    await stateOf(alice, "paused");
    await bob.rpc.call("callControl", { friend: alice.publicKey, pause: false });
    await stateOf(alice, "active");
    await alice.rpc.call("setBitRate", { friend: bob.publicKey, audio: 24_000 });
    expect(await alice.rpc.call("callStats", { friend: bob.publicKey })).toMatchObject({ audioBitRate: 24_000 });
    await alice.rpc.call("hangUp", { friend: bob.publicKey });
    expect(await stateOf(bob, "ended")).toMatchObject({ reason: "hung-up", by: "them" });
    await bob.rpc.call("close");
    expect(await bob.rpc.exited).toBe(0);

    const sound = await wavSource(`${record}.wav`);
    await sound.read(24_000);
    expect(dominantFrequency((await sound.read(24_000)) ?? new Int16Array(), 48_000)).toBeCloseTo(440, -1);
    await sound.close?.();
    const pictures = await ivfSource(`${record}.ivf`);
    expect((await pictures.read())?.data.length).toBeGreaterThan(100);
    await pictures.close?.();
  });

  it("that cannot be made or answered say why, and leave nothing", async () => {
    const place = folder();
    await using one = startRpc();
    await using other = startRpc();
    const [alice, bob] = await friends(one, other);
    const friend = bob.publicKey;
    const refused = async (code: string, method: string, params: object) =>
      expect(alice.rpc.call(method, { friend, ...params })).rejects.toMatchObject({ data: { code } });
    const record = join(place, "nothing");
    await refused("no-call", "hangUp", {});
    await refused("no-call", "answer", { record });
    await refused("invalid-argument", "call", { audioSource: "tone:high", record });
    await refused("invalid-argument", "call", { audioSource: join(place, "no.wav"), record });
    expect(existsSync(`${record}.wav`)).toBe(false);
    await expect(alice.rpc.call("call", { friend, audio: "yes", record })).rejects.toMatchObject({ code: -32602 });
    await alice.rpc.call("call", { friend });
    await refused("already-in-call", "call", { record });
    await refused("no-call", "answer", { record });
    for (const ending of ["wav", "ivf"]) expect(existsSync(`${record}.${ending}`)).toBe(false);
    await refused("invalid-argument", "setBitRate", { audio: 1 });
    await bob.rpc.notified("incomingCall");
    await bob.rpc.call("hangUp", { friend: alice.publicKey });
    expect(await stateOf(alice, "ended")).toMatchObject({ reason: "hung-up", by: "them" });
  });

  it("are answered once, by whoever is first", async () => {
    await using one = startRpc();
    await using other = startRpc();
    const [alice, bob] = await friends(one, other);
    await alice.rpc.call("call", { friend: bob.publicKey });
    await bob.rpc.notified("incomingCall");
    const answers = await Promise.allSettled(
      [1, 2, 3].map(() => bob.rpc.call("answer", { friend: alice.publicKey, audioSource: "tone:440" })),
    );
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
    await stateOf(alice, "active");
    await statsAbove(alice, bob.publicKey, "audioFramesReceived", 20);
    await expect(bob.rpc.call("answer", { friend: alice.publicKey })).rejects.toMatchObject({
      data: { code: "no-call" },
    });
    await bob.rpc.call("close");
    expect(await bob.rpc.exited).toBe(0);
    expect(await stateOf(alice, "ended")).toMatchObject({ reason: "hung-up", by: "them" });
  });
});
