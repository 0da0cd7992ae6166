import { beforeEach, describe, expect, it } from "vitest";
import { SecureStream } from "../../../src/relay/secure_stream.ts";
import { SessionKeys } from "../../../src/relay/session_keys.ts";
import { type Client, PORT, World } from "./world.ts";

let world: World;
let stream: SecureStream;
let heard: Uint8Array[];
let client: Client;

/** A relay that shakes hands properly, and whose every packet is the test's. */
async function listen(w: World): Promise<void> {
  const listener = await w.streams.host([10, 0, 0, 1]).listen({ family: 4, port: PORT });
  listener.onConnection = (socket) => {
    stream = new SecureStream(socket, w.crypto, new Uint8Array(2048), 128, {
      onHandshake: (bytes) => {
        const key = w.crypto.sharedKey(bytes.subarray(0, 32), w.relayKeys.secretKey);
        const plain = key && w.crypto.open(bytes.subarray(56), bytes.subarray(32, 56), key);
        if (key === undefined || plain === undefined) return;
        const session = new SessionKeys(w.crypto);
        stream.sendRaw(session.response(key));
        const keys = session.agree(plain);
        if (keys !== undefined) stream.start(keys);
      },
      onPacket: (packet) => heard.push(packet.slice()),
      onWritable: () => undefined,
      onFault: () => undefined,
    });
  };
}

beforeEach(async () => {
  world = new World();
  heard = [];
  await listen(world);
  client = world.client();
  await world.run(10);
});

const tell = async (...bytes: number[]) => {
  stream.send(Uint8Array.from(bytes));
  await world.run(5);
};

describe("a client of a relay that lies", () => {
  it("ignores notices, data and answers that it did not ask for", async () => {
    const stranger = world.crypto.keyPair().publicKey;
    await tell(2, 16);
    await tell(3, 16);
    await tell(16, 1, 2, 3);
    await tell(1, 16, ...stranger);
    await tell(1, 3, ...stranger);
    await tell(2, 3);
    await tell(5, 0, 0, 0, 0, 0, 0, 0, 0);
    await tell(5, 1, 2, 3, 4, 5, 6, 7, 8);
    await tell(0, ...stranger);
    expect(client.heard).toEqual(["ready"]);
    expect(client.packets).toEqual([]);
    expect(client.relay.state).toBe("ready");
    expect(heard.length).toBe(1); // the ping
  });

  it("takes one id for one peer, and nothing on it before the peer is there", async () => {
    const [a, b] = [world.crypto.keyPair().publicKey, world.crypto.keyPair().publicKey];
    client.relay.requestRoute(a);
    client.relay.requestRoute(b);
    await world.run(5);
    await tell(1, 20, ...a);
    await tell(1, 20, ...b);
    await tell(1, 21, ...a);
    await tell(20, 9);
    expect(client.packets).toEqual([]);
    expect(client.relay.sendTo(a, Uint8Array.of(1))).toBe(false);
    await tell(2, 20);
    await tell(2, 20);
    await tell(2, 21);
    await tell(20, 9);
    await tell(20);
    expect(client.heard).toEqual(["ready", "online"]);
    expect(client.packets).toEqual([Uint8Array.of(9)]);
    expect(client.relay.isPeerOnline(b)).toBe(false);
  });

  it("asks again, with the next ping, for a route that was refused", async () => {
    const peer = world.crypto.keyPair().publicKey;
    const ping = heard[0] ?? new Uint8Array(9);
    await tell(5, ...ping.subarray(1));
    client.relay.requestRoute(peer);
    await world.run(5);
    await tell(1, 0, ...peer);
    const requests = () => heard.filter((packet) => packet[0] === 0).length;
    expect(requests()).toBe(1);
    await world.run(31_000);
    expect(requests()).toBe(2);
  });

  it("answers no ping of 0, for which relays cut their clients off", async () => {
    await tell(4, 0, 0, 0, 0, 0, 0, 0, 0);
    await tell(4, 0, 0, 0, 0, 0, 0, 0, 7);
    expect(heard.slice(1)).toEqual([Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0, 7)]);
  });

  it("leaves a relay that does not answer its ping, or breaks the protocol", async () => {
    await world.run(11_000);
    expect(client.heard).toEqual(["ready", "closed timeout"]);
    const other = world.client();
    await world.run(10);
    await tell(12, 1);
    expect(other.heard).toEqual(["ready", "closed malformed"]);
    expect(world.clock.pending).toBe(0);
  });

  it("leaves a relay with another key, and one that never answers", async () => {
    const other = world.client([10, 0, 1, 7], world.crypto.keyPair(), world.crypto.keyPair().publicKey);
    await world.run(10);
    expect(other.heard).toEqual(["closed ended"]); // the relay cannot open its handshake
    expect(other.relay.requestRoute(client.key)).toBe(false);
    const silent = new World();
    await silent.streams.host([10, 0, 0, 1]).listen({ family: 4, port: PORT });
    const patient = silent.client();
    await silent.run(9000);
    expect(patient.relay.state).toBe("handshake");
    await silent.run(2000);
    expect(patient.heard).toEqual(["closed timeout"]);
  });

  it("says nothing after its own close", async () => {
    client.relay.close();
    client.relay.close();
    await world.run(20_000);
    expect(client.heard).toEqual(["ready"]);
    expect(client.relay.sendOob(client.key, Uint8Array.of(1))).toBe(false);
    expect(world.clock.pending).toBe(0);
  });
});
