import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { KeyPair, PublicKey } from "../../../src/crypto/keys.ts";
import { AnnounceStore } from "../../../src/dht/announce_store.ts";
import { Universe } from "../../../src/testing/index.ts";
import { decodeDataRetrieveResponse, encodeDataRetrieveRequest } from "../../../src/wire/dht/data_retrieve.ts";
import {
  type DataSearchResponse,
  decodeDataSearchResponse,
  encodeDataSearchRequest,
  encodeDataSearchResult,
} from "../../../src/wire/dht/data_search.ts";
import { decodeForwarding, encodeForwardRequest } from "../../../src/wire/dht/forwarding.ts";
import {
  decodeStoreAnnounceResponse,
  encodeAnnouncement,
  encodeStoreAnnounceRequest,
} from "../../../src/wire/dht/store_announce.ts";
import { ignoreDrop } from "../../../src/wire/drop.ts";
import { PacketId } from "../../../src/wire/packet_ids.ts";
import { bytesOf } from "../../support/arbitraries.ts";
import { DhtWorld, join, type WorldNode } from "./dht_world.ts";
import { Stranger } from "./stranger.ts";

let world: DhtWorld;
let node: WorldNode;
let client: Stranger;
let dataKeys: KeyPair;

beforeEach(async () => {
  world = new DhtWorld({ link: { latency: [10, 10] } });
  node = await world.node("node");
  client = await Stranger.create(world, "client");
  dataKeys = client.crypto.keyPair();
});

const sha256 = (bytes: Uint8Array): Uint8Array => {
  const hash = new Uint8Array(32);
  client.crypto.provider.sha256(hash, bytes);
  return hash;
};

/** Sends and answers the payload of what comes back with `responseId`. */
async function ask(packet: Uint8Array, responseId: number, from = client): Promise<Uint8Array | undefined> {
  const before = from.got(responseId).length;
  from.send(node.endpoint, packet);
  await world.universe.run(50);
  const response = from.got(responseId)[before];
  return response && from.open(response);
}

const searchPacket = (previousHash?: Uint8Array, from = client) =>
  from.seal(PacketId.DataSearchRequest, node.publicKey, (into) => {
    const base = { dataPublicKey: dataKeys.publicKey, sendback: 5n };
    return encodeDataSearchRequest(into, previousHash === undefined ? base : { ...base, previousHash });
  });

async function search(previousHash?: Uint8Array): Promise<DataSearchResponse | undefined> {
  const payload = await ask(searchPacket(previousHash), PacketId.DataSearchResponse);
  return payload && decodeDataSearchResponse(payload, ignoreDrop);
}

async function store(
  auth: Uint8Array,
  bytes: Uint8Array,
  kind: "data" | "renewal" = "data",
  timeout = 300,
  from = client,
) {
  const packet = from.seal(PacketId.StoreAnnounceRequest, node.publicKey, (into) => {
    const plain = new Uint8Array(1024);
    const length = encodeAnnouncement(plain, { auth, timeout, kind, bytes });
    const nonce = client.crypto.nonce();
    const key = client.crypto.sharedKey(node.publicKey, dataKeys.secretKey);
    if (key === undefined) throw new Error("no key");
    const box = client.crypto.seal(plain.subarray(0, length), nonce, key);
    return encodeStoreAnnounceRequest(into, { dataPublicKey: dataKeys.publicKey, nonce, box, sendback: 6n });
  });
  const payload = await ask(packet, PacketId.StoreAnnounceResponse, from);
  return payload && decodeStoreAnnounceResponse(payload, ignoreDrop);
}

async function retrieve(auth: Uint8Array, from = client) {
  const packet = from.seal(PacketId.DataRetrieveRequest, node.publicKey, (into) =>
    encodeDataRetrieveRequest(into, { dataPublicKey: dataKeys.publicKey, auth, sendback: 7n }),
  );
  const payload = await ask(packet, PacketId.DataRetrieveResponse, from);
  return payload && decodeDataRetrieveResponse(payload, ignoreDrop);
}

const authOf = (response: DataSearchResponse | undefined): Uint8Array => response?.result?.auth ?? new Uint8Array(32);

describe("the announce server", () => {
  it("stores, finds and gives back", async () => {
    const first = await search();
    expect(first?.sendback).toBe(5n);
    expect(first?.result).toMatchObject({ wouldStore: true, nodes: [] });
    expect(first?.result?.storedHash).toBeUndefined();
    const auth = authOf(first);
    expect(await retrieve(auth)).toBeUndefined();

    const data = Uint8Array.from({ length: 512 }, (_, i) => i);
    expect(await store(auth, data)).toEqual({
      dataPublicKey: dataKeys.publicKey,
      timeout: 10,
      time: BigInt(node.host.edges.clock.wall()),
      sendback: 6n,
    });
    expect((await search())?.result?.storedHash).toEqual(sha256(data));
    expect(await retrieve(auth)).toEqual({ dataPublicKey: dataKeys.publicKey, data, sendback: 7n });
    await world.universe.run(10_000);
    expect((await search())?.result?.storedHash).toBeUndefined();
  });

  it("stores for a quarter of its uptime, from 10 s to 15 min", async () => {
    const grant = async (asked: number) =>
      (await store(authOf(await search()), Uint8Array.of(1), "data", asked))?.timeout;
    expect(await grant(5)).toBe(5);
    expect(await grant(300)).toBe(10);
    await world.universe.run(400_000);
    expect(await grant(1000)).toBe(100);
    await world.universe.run(4_000_000);
    expect(await grant(100_000)).toBe(900);
  });

  it("renews what is stored, and throws it away when its owner thinks it is something else", async () => {
    const data = Uint8Array.of(1, 2, 3);
    const auth = authOf(await search());
    await store(auth, data);
    await world.universe.run(8000);
    expect((await store(auth, sha256(data), "renewal"))?.timeout).toBe(10);
    await world.universe.run(8000);
    expect((await search())?.result?.storedHash).toEqual(sha256(data));
    expect(await store(auth, sha256(Uint8Array.of(9)), "renewal")).toBeUndefined();
    expect((await search())?.result?.storedHash).toBeUndefined();
    expect(await store(auth, sha256(data), "renewal")).toBeUndefined();
  });

  it("says shortly that nothing has changed", async () => {
    const first = await search();
    const bytes = new Uint8Array(512);
    if (first?.result === undefined) throw new Error("no result");
    const hash = sha256(bytes.subarray(0, encodeDataSearchResult(bytes, dataKeys.publicKey, first.result)));
    expect(await search(hash)).toEqual({ dataPublicKey: dataKeys.publicKey, sendback: 5n });
    await store(first.result.auth, Uint8Array.of(1));
    expect((await search(hash))?.result?.storedHash).toEqual(sha256(Uint8Array.of(1)));
  });

  it("wants an authenticator that it gave to the same key at the same address, at most two minutes ago", async () => {
    const auth = authOf(await search());
    const sameKeyElsewhere = await Stranger.create(world, "elsewhere", {}, client.keyPair);
    const otherKey = await Stranger.create(world, "other key");
    expect(await store(auth, Uint8Array.of(1), "data", 300, sameKeyElsewhere)).toBeUndefined();
    expect(await store(auth, Uint8Array.of(1), "data", 300, otherKey)).toBeUndefined();
    expect(await retrieve(auth, otherKey)).toBeUndefined();
    expect(node.count("drop.storeAnnounceRequest.expired")).toBe(2);
    expect(node.count("drop.dataRetrieveRequest.expired")).toBe(1);
    expect(await store(auth, Uint8Array.of(1))).toBeDefined();
    await world.universe.run(121_000);
    expect(await store(auth, Uint8Array.of(1))).toBeUndefined();
  });

  it("drops what is not sealed by the data key's owner", async () => {
    const auth = authOf(await search());
    const own = dataKeys;
    dataKeys = { publicKey: own.publicKey, secretKey: client.crypto.keyPair().secretKey };
    expect(await store(auth, Uint8Array.of(1))).toBeUndefined();
    expect(node.count("drop.storeAnnounceRequest.forged")).toBe(1);
  });

  it("answers over a forwarder too, with an authenticator for that way alone", async () => {
    const forwarder = await world.node("forwarder");
    join(forwarder, node);
    await world.universe.run(2000);
    const request = new Uint8Array(2048);
    const length = encodeForwardRequest(request, { next: node.publicKey, data: searchPacket() });
    client.send(forwarder.endpoint, request.slice(0, length));
    await world.universe.run(200);
    const [arrived] = client.got(PacketId.Forwarding);
    const inner = arrived && decodeForwarding(arrived.bytes, ignoreDrop)?.data;
    expect(inner?.[0]).toBe(PacketId.DataSearchResponse);
    const response = decodeDataSearchResponse(
      client.open({ bytes: inner as Uint8Array, from: node.endpoint }),
      ignoreDrop,
    );
    expect(response?.result?.wouldStore).toBe(true);
    expect(response?.result?.nodes.length).toBe(1);
    expect(await store(authOf(response), Uint8Array.of(1))).toBeUndefined();
  });
});

describe("the announce store", () => {
  const SELF = new Uint8Array(32) as PublicKey;

  it("is bounded, and prefers keys near to us within a bucket", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(bytesOf(32), { minLength: 1, maxLength: 200 }), async (keys) => {
        const store = new AnnounceStore(SELF, new Universe().host("a").edges.clock);
        for (const key of keys) {
          // Half of them all in the bucket of zeros, at different distances.
          if ((key[31] ?? 0) % 2 === 0) key.fill(0, 1).fill(1 << ((key[30] ?? 0) % 3), 0, 1);
          const would = store.wouldStore(key as PublicKey);
          expect(store.store(key as PublicKey, key, 60)).toBe(would);
          expect(store.get(key as PublicKey)?.data).toEqual(would ? key : undefined);
        }
        expect(keys.filter((key) => store.get(key as PublicKey)).length).toBeLessThanOrEqual(256);
      }),
      { numRuns: 30 },
    );
  });

  it("gives up the farthest of a full bucket for a nearer key, and for no other", () => {
    const store = new AnnounceStore(SELF, new Universe().host("a").edges.clock);
    /** `far` bits shared with us, then a 1, then five zeros: all in bucket 0. */
    const key = (shared: number, n: number) => {
      const bytes = new Uint8Array(32);
      bytes[shared >> 3] = 0x80 >> (shared & 7);
      bytes[31] = n;
      return bytes as PublicKey;
    };
    for (let n = 1; n <= 8; n++) expect(store.store(key(8, n), Uint8Array.of(n), 60)).toBe(true);
    expect(store.store(key(0, 9), Uint8Array.of(9), 60)).toBe(false);
    expect(store.store(key(8, 9), Uint8Array.of(9), 60)).toBe(false);
    expect(store.store(key(16, 9), Uint8Array.of(9), 60)).toBe(true);
    expect(Array.from({ length: 8 }, (_, n) => store.get(key(8, n + 1))).filter(Boolean).length).toBe(7);
    expect(store.store(key(16, 10), new Uint8Array(513), 60)).toBe(false);
  });
});
