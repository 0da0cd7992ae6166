import { describe, expect, it } from "vitest";
import { RpcServer, type RpcServerOptions } from "../../../src/rpc/index.ts";
import { type Person, Story } from "../../support/people.ts";

type Json = ReturnType<typeof JSON.parse>;

/** One client of a person's server, and what it was told. */
class OneClient {
  readonly told: Json[] = [];
  readonly leave: () => void;
  readonly #server: RpcServer;

  constructor(server: RpcServer) {
    this.#server = server;
    this.leave = server.connect((line) => void this.told.push(JSON.parse(line)));
  }

  /** The answer's result, or its error. */
  async ask(method: string, params: object = {}): Promise<Json> {
    const line = await this.#server.answer(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }));
    const { result, error } = JSON.parse(line ?? "{}");
    return result ?? error;
  }

  of(method: string): Json[] {
    return this.told.filter((one) => one.method === method).map(({ params }) => params);
  }
}

const serve = ({ tox }: Person, options: RpcServerOptions = {}): RpcServer => new RpcServer(tox, options);

describe("a server", () => {
  it("tells every client of everything until he leaves, though another one fails", async () => {
    await using story = new Story();
    const [alice, bob] = [await story.person("Alice"), await story.person("Bob")];
    const server = serve(alice);
    server.connect(() => {
      throw new Error("broken");
    });
    const [one, other] = [new OneClient(server), new OneClient(server)];
    const [friend, aliceOfBob] = await story.befriend(alice, bob);
    other.leave();
    aliceOfBob.send("hello");
    await story.until("the first to hear", () => one.of("message").length > 0);
    expect(one.of("message")).toMatchObject([{ friend: friend.publicKey, text: "hello" }]);
    expect(other.of("message")).toEqual([]);
    expect(other.of("friendConnection")).toHaveLength(1);
  });

  it("keeps messages for the client that comes, and gives no receipt before", async () => {
    await using story = new Story();
    const [alice, bob] = [await story.person("Alice"), await story.person("Bob")];
    const server = serve(alice);
    const [, aliceOfBob] = await story.befriend(alice, bob);
    const messages = ["first", "second"].map((text) => aliceOfBob.send(text));
    await story.pass(5_000);
    expect(messages.map(({ state }) => state)).toEqual(["sent", "sent"]);
    const client = new OneClient(server);
    await story.until("both to be delivered", () => messages.every(({ state }) => state === "delivered"));
    expect(client.of("message").map(({ text }: Json) => text)).toEqual(["first", "second"]);
  });

  it("answers no more than it is allowed to, and what its program adds", async () => {
    await using story = new Story();
    let closed = 0;
    const greet = { params: ["name"], run: ({ name }: Json) => `Hello ${name}` };
    const client = new OneClient(
      serve(await story.person("Alice"), {
        allow: { self: [], call: ["friend", "video"], nonsense: [] },
        methods: { greet },
        onClose: () => closed++,
      }),
    );
    expect(await client.ask("self")).toMatchObject({ name: "Alice" });
    expect(await client.ask("greet", { name: "Bob" })).toBe("Hello Bob");
    for (const method of ["close", "sendFile", "nonsense", "constructor"]) {
      expect(await client.ask(method)).toMatchObject({ code: -32601 });
    }
    expect(await client.ask("call", { friend: "", record: "/tmp/x" })).toMatchObject({ code: -32602 });
    expect(closed).toBe(0);
  });

  it("has the methods of one client for that client alone", async () => {
    await using story = new Story();
    const server = serve(await story.person("Alice"));
    const line = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "who" });
    const who = { params: [], run: () => "me" };
    expect(JSON.parse((await server.answer(line, { who })) ?? "")).toMatchObject({ result: "me" });
    expect(JSON.parse((await server.answer(line)) ?? "")).toMatchObject({ error: { code: -32601 } });
  });
});

describe("friend requests", () => {
  it("wait for a client that comes later, until they are accepted or declined", async () => {
    await using story = new Story();
    const alice = await story.person("Alice");
    const server = serve(alice);
    for (const name of ["Bob", "Carol"]) {
      const other = await story.person(name);
      await other.tox.addFriend(alice.tox.id, `I am ${name}`);
    }
    const client = new OneClient(server);
    const waiting = (): Promise<Json[]> => client.ask("friendRequests");
    await story.until("both requests", () => alice.heard.all("friendRequest").length === 2);
    const requests = await waiting();
    expect(requests.map(({ message }) => message).sort()).toEqual(["I am Bob", "I am Carol"]);
    const [{ publicKey: first }, { publicKey: second }] = requests as [Json, Json];
    expect(await client.ask("declineFriend", { publicKey: first })).toEqual({ declined: true });
    expect(await client.ask("declineFriend", { publicKey: first })).toEqual({ declined: false });
    await client.ask("acceptFriend", { publicKey: second });
    expect(await waiting()).toEqual([]);
    expect(alice.tox.friends.map(({ publicKey }) => publicKey)).toEqual([second]);
  });
});

describe("calls", () => {
  it("are listed with what both sides send and take, and changes of that are told", async () => {
    await using story = new Story();
    const [alice, bob] = [await story.person("Alice"), await story.person("Bob")];
    const [ours, theirs] = [new OneClient(serve(alice)), new OneClient(serve(bob))];
    const [bobOfAlice, aliceOfBob] = (await story.befriend(alice, bob)).map(({ publicKey }) => publicKey);
    await ours.ask("call", { friend: bobOfAlice, video: true });
    await story.until("it to ring", () => theirs.of("incomingCall").length > 0);
    const [ringing] = await theirs.ask("calls");
    expect(ringing).toMatchObject({ friend: aliceOfBob, direction: "incoming", state: "ringing" });
    expect(ringing.video.peer.sending).toBe(true);
    await theirs.ask("answer", { friend: aliceOfBob });
    await story.until("it to be answered", () => ours.of("callState").at(-1)?.state === "active");
    expect(await ours.ask("calls")).toEqual([
      {
        ...{ friend: bobOfAlice, direction: "outgoing", state: "active", pausedBy: null },
        audio: { sending: true, receiving: true, peer: { sending: true, receiving: true } },
        video: { sending: true, receiving: true, peer: { sending: false, receiving: true } },
      },
    ]);

    const both = { sending: true, receiving: true };
    const answered = { friend: bobOfAlice, audio: both, video: { sending: false, receiving: true } };
    expect(ours.of("callPeer")).toEqual([answered]);
    await theirs.ask("callControl", { friend: aliceOfBob, sendAudio: false, sendVideo: true, mute: true });
    await story.until("the change to be told", () => ours.of("callPeer").length > 1);
    await story.pass(1_000);
    expect(ours.of("callPeer").at(-1)).toEqual({
      ...{ friend: bobOfAlice, audio: { sending: false, receiving: false }, video: both },
    });
    await theirs.ask("callControl", { friend: aliceOfBob, sendAudio: true, mute: false });
    await story.until("the other change", () => ours.of("callPeer").at(-1)?.audio.sending === true);
    expect(ours.of("callPeer").at(-1)).toEqual({ friend: bobOfAlice, audio: both, video: both });

    await ours.ask("setBitRate", { friend: bobOfAlice, audio: 24_000 });
    expect(ours.of("callBitRate").at(-1)).toMatchObject({ friend: bobOfAlice, audio: 24_000 });
    await ours.ask("hangUp", { friend: bobOfAlice });
    expect(await ours.ask("calls")).toEqual([]);
  });
});
