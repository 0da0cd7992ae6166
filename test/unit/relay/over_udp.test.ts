import { expect, it } from "vitest";
import { Forwarder } from "../../../src/dht/forwarder.ts";
import type { NodeTable } from "../../../src/dht/node_table.ts";
import { buildOnionRequest } from "../../../src/onion/path_packet.ts";
import { RelayClient } from "../../../src/relay/relay_client.ts";
import { RelayServer } from "../../../src/relay/relay_server.ts";
import { Universe } from "../../../src/testing/universe.ts";
import { makeEndpoint } from "../../../src/util/endpoint.ts";
import { MemoryStreams } from "../../support/memory_streams.ts";
import { join, Machine } from "../onion/server/world.ts";

const RELAY_PORT = 3389;

/** A node that is relay, first hop and forwarder, and a client that has nothing but TCP to it. */
async function tell() {
  const universe = new Universe({ seed: 3 });
  const [one, two, three, end] = (await Promise.all(
    ["one", "two", "three", "end"].map((name) => Machine.make(universe, name)),
  )) as [Machine, Machine, Machine, Machine];
  const onion = one.serve();
  two.serve();
  three.serve();
  const { clock, metrics, logger } = one.host.edges;
  const table = { get: () => undefined } as unknown as NodeTable;
  const forwarder = new Forwarder(one.network, clock, one.crypto, metrics, table, () => undefined);
  const streams = new MemoryStreams(clock);
  const part = { clock, metrics, logger, crypto: one.crypto, keyPair: one.dht.keyPair, sharedKeys: one.dht.sharedKeys };
  const server = new RelayServer({
    ...part,
    streams: streams.host([1, 1, 1, 1]),
    ports: [RELAY_PORT],
    onion: onion.relay,
    forwarding: forwarder,
  });
  await server.listen();
  const client = await Machine.make(universe, "client");
  const answers: Uint8Array[] = [];
  const keep = (_relay: RelayClient, bytes: Uint8Array) => void answers.push(bytes.slice());
  const nothing = () => undefined;
  const relay = new RelayClient(
    {
      ...part,
      streams: streams.host([8, 8, 8, 8]),
      keyPair: client.dht.keyPair,
      sharedKeys: client.dht.sharedKeys,
    },
    { publicKey: one.publicKey, address: makeEndpoint(Uint8Array.of(1, 1, 1, 1), RELAY_PORT) },
    {
      onReady: nothing,
      onPeer: nothing,
      onPacket: nothing,
      onOob: nothing,
      onOnionResponse: keep,
      onForwarding: keep,
      onWritable: nothing,
      onClosed: nothing,
    },
  );
  await universe.run(100);
  expect(relay.state).toBe("ready");
  return { universe, client, one, two, three, end, relay, answers, metrics };
}

it("is the first hop of clients without UDP, and passes their answers back", async () => {
  const { universe, client, one, two, three, end, relay, answers } = await tell();
  const path = client.path(one, two, three);
  const payload = join([0x85], new Uint8Array(300).fill(3));
  const whole = buildOnionRequest(client.crypto, path, end.endpoint, payload);
  // Layer 0 is not sealed on TCP: what its box holds travels in the connection's own.
  const nonce = whole.subarray(1, 25);
  const key = one.crypto.sharedKey(whole.subarray(25, 57), one.dht.keyPair.secretKey);
  const layer = key && one.crypto.open(whole.subarray(57), nonce, key);
  expect(relay.sendOnionRequest(join(nonce, layer ?? new Uint8Array()))).toBe(true);
  await universe.run(1000);
  const [delivered] = end.take();
  expect(delivered?.bytes.subarray(0, -177)).toEqual(payload);
  expect(delivered?.from).toEqual(three.endpoint);

  const response = join([0x86], new Uint8Array(200).fill(4));
  const sendback = delivered?.bytes.slice(-177) ?? new Uint8Array();
  end.send(three, join([0x8c], sendback, response));
  await universe.run(1000);
  expect(answers).toEqual([response]);
  end.send(three, join([0x8c], sendback, join([0x20], new Uint8Array(9))));
  relay.close();
  await universe.run(100);
  end.send(three, join([0x8c], sendback, response));
  await universe.run(1000);
  expect(answers.length).toBe(1);
});

it("sends nothing into its own network for clients from outside, nor cut short", async () => {
  const { universe, relay, metrics } = await tell();
  const request = new Uint8Array(400);
  request.set([2, 192, 168, 0, 1], 24);
  request.set([0x82, 0x35], 24 + 17);
  expect(relay.sendOnionRequest(request)).toBe(true);
  request.set([2, 224, 0, 0, 1], 24);
  expect(relay.sendOnionRequest(request)).toBe(true);
  request.set([77], 24);
  expect(relay.sendOnionRequest(request)).toBe(true);
  expect(relay.sendForwardRequest(makeEndpoint(Uint8Array.of(10, 0, 0, 9), 33445), Uint8Array.of(1))).toBe(true);
  await universe.run(100);
  expect(metrics.get("drop.onionRequestTcp.wrong-address")).toBe(2);
  expect(metrics.get("drop.onionRequestTcp.malformed")).toBe(1);
  expect(metrics.get("dht.forwardRequest.passedOn")).toBe(0);
  expect(relay.state).toBe("ready");
});

it("forwards for clients without UDP", async () => {
  const { universe, one, end, relay, answers } = await tell();
  expect(relay.sendForwardRequest(end.endpoint, Uint8Array.of(7, 8))).toBe(true);
  await universe.run(1000);
  const [forwarding] = end.take();
  const sendbackSize = forwarding?.bytes[1] ?? 0;
  expect(forwarding?.bytes[0]).toBe(0x91);
  expect(forwarding?.bytes.subarray(2 + sendbackSize)).toEqual(Uint8Array.of(7, 8));
  const sendback = forwarding?.bytes.slice(2, 2 + sendbackSize) ?? new Uint8Array();
  end.send(one, join([0x92, sendbackSize], sendback, [9, 9]));
  sendback[40] = 1 + (sendback[40] ?? 0);
  end.send(one, join([0x92, sendbackSize], sendback, [6, 6]));
  await universe.run(1000);
  expect(answers).toEqual([Uint8Array.of(9, 9)]);
});
