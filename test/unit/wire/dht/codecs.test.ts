import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../../../src/util/bytes.ts";
import * as bootstrapInfo from "../../../../src/wire/dht/bootstrap_info.ts";
import * as dataRetrieve from "../../../../src/wire/dht/data_retrieve.ts";
import * as dataSearch from "../../../../src/wire/dht/data_search.ts";
import * as dhtPacket from "../../../../src/wire/dht/dht_packet.ts";
import * as dhtRequest from "../../../../src/wire/dht/dht_request.ts";
import * as forwarding from "../../../../src/wire/dht/forwarding.ts";
import * as lanDiscovery from "../../../../src/wire/dht/lan_discovery.ts";
import * as natPing from "../../../../src/wire/dht/nat_ping.ts";
import * as nodesRequest from "../../../../src/wire/dht/nodes_request.ts";
import * as nodesResponse from "../../../../src/wire/dht/nodes_response.ts";
import * as ping from "../../../../src/wire/dht/ping.ts";
import * as storeAnnounce from "../../../../src/wire/dht/store_announce.ts";
import type { DropReason } from "../../../../src/wire/drop.ts";
import type { PackedNode } from "../../../../src/wire/packed_node.ts";
import {
  arbitraryEndpoint,
  arbitraryNonce,
  arbitraryPackedNode,
  arbitraryPublicKey,
  arbitraryU32,
  arbitraryU64,
  bytesOf,
} from "../../../support/arbitraries.ts";
import { codecProperties } from "../../../support/codec_properties.ts";

/** Encodes into a dirty buffer, so that a byte left unwritten shows. */
function encoding<T>(encode: (into: Uint8Array, packet: T) => number): (packet: T) => Uint8Array {
  return (packet) => {
    const into = new Uint8Array(2100).fill(0xa5);
    return into.slice(0, encode(into, packet));
  };
}

const atMost = (maxLength: number, minLength = 0) => fc.uint8Array({ minLength, maxLength });
const udpNode = arbitraryPackedNode.map((node): PackedNode => ({ ...node, transport: "udp" }));

codecProperties("DhtPacket", {
  arbitrary: fc.record({
    id: fc.integer({ min: 0, max: 255 }),
    sender: arbitraryPublicKey,
    nonce: arbitraryNonce,
    box: atMost(300, 16),
  }),
  encode: encoding(dhtPacket.encodeDhtPacket),
  decode: dhtPacket.decodeDhtPacket,
  variableLength: true,
});

codecProperties("PingPayload", {
  arbitrary: fc.record({ id: fc.constantFrom(0 as const, 1 as const), sendback: arbitraryU64 }),
  encode: encoding(ping.encodePingPayload),
  decode: ping.decodePingPayload,
});

codecProperties("NodesRequestPayload", {
  arbitrary: fc.record({ target: arbitraryPublicKey, sendback: arbitraryU64 }),
  encode: encoding(nodesRequest.encodeNodesRequestPayload),
  decode: nodesRequest.decodeNodesRequestPayload,
});

codecProperties<nodesResponse.NodesResponsePayload>("NodesResponsePayload", {
  arbitrary: fc.record({ nodes: fc.array(udpNode, { minLength: 1, maxLength: 4 }), sendback: arbitraryU64 }),
  encode: encoding(nodesResponse.encodeNodesResponsePayload),
  decode: nodesResponse.decodeNodesResponsePayload,
});

codecProperties("DhtRequest", {
  arbitrary: fc.record({
    receiver: arbitraryPublicKey,
    sender: arbitraryPublicKey,
    nonce: arbitraryNonce,
    box: atMost(951, 17),
  }),
  encode: encoding(dhtRequest.encodeDhtRequest),
  decode: dhtRequest.decodeDhtRequest,
  variableLength: true,
});

codecProperties("NatPing", {
  arbitrary: fc.record({ kind: fc.constantFrom("request" as const, "response" as const), pingId: arbitraryU64 }),
  encode: encoding(natPing.encodeNatPing),
  decode: natPing.decodeNatPing,
});

codecProperties("LanDiscovery", {
  arbitrary: fc.record({ publicKey: arbitraryPublicKey }),
  encode: encoding(lanDiscovery.encodeLanDiscovery),
  decode: lanDiscovery.decodeLanDiscovery,
});

codecProperties("ForwardRequest", {
  arbitrary: fc.record({ next: arbitraryPublicKey, data: atMost(1792) }),
  encode: encoding(forwarding.encodeForwardRequest),
  decode: forwarding.decodeForwardRequest,
  variableLength: true,
});

codecProperties("Forwarding", {
  arbitrary: fc.record({ sendback: atMost(254), data: atMost(1792) }),
  encode: encoding(forwarding.encodeForwarding),
  decode: forwarding.decodeForwarding,
  variableLength: true,
});

codecProperties("ForwardReply", {
  arbitrary: fc.record({ sendback: atMost(254, 1), data: atMost(1792) }),
  encode: encoding(forwarding.encodeForwardReply),
  decode: forwarding.decodeForwardReply,
  variableLength: true,
});

codecProperties<forwarding.ForwardReturn>("ForwardReturn", {
  arbitrary: fc.oneof(
    fc.record({ to: arbitraryEndpoint }),
    fc.record({ to: arbitraryEndpoint, sendback: atMost(150) }),
  ),
  encode: encoding((into, way: forwarding.ForwardReturn) => forwarding.encodeForwardReturn(into, 0, way)),
  decode: forwarding.decodeForwardReturn,
  variableLength: true,
});

codecProperties<dataSearch.DataSearchRequest>("DataSearchRequest", {
  arbitrary: fc.oneof(
    fc.record({ dataPublicKey: arbitraryPublicKey, sendback: arbitraryU64 }),
    fc.record({ dataPublicKey: arbitraryPublicKey, previousHash: bytesOf(32), sendback: arbitraryU64 }),
  ),
  encode: encoding(dataSearch.encodeDataSearchRequest),
  decode: dataSearch.decodeDataSearchRequest,
  variableLength: true,
});

const searchResult = {
  auth: bytesOf(32),
  wouldStore: fc.boolean(),
  nodes: fc.array(arbitraryPackedNode, { maxLength: 4 }),
};

codecProperties<dataSearch.DataSearchResponse>("DataSearchResponse", {
  arbitrary: fc.oneof(
    fc.record({ dataPublicKey: arbitraryPublicKey, sendback: arbitraryU64 }),
    fc.record({
      dataPublicKey: arbitraryPublicKey,
      result: fc.oneof(fc.record(searchResult), fc.record({ storedHash: bytesOf(32), ...searchResult })),
      sendback: arbitraryU64,
    }),
  ),
  encode: encoding(dataSearch.encodeDataSearchResponse),
  decode: dataSearch.decodeDataSearchResponse,
  variableLength: true,
});

codecProperties("DataRetrieveRequest", {
  arbitrary: fc.record({ dataPublicKey: arbitraryPublicKey, auth: bytesOf(32), sendback: arbitraryU64 }),
  encode: encoding(dataRetrieve.encodeDataRetrieveRequest),
  decode: dataRetrieve.decodeDataRetrieveRequest,
});

codecProperties("DataRetrieveResponse", {
  arbitrary: fc.record({ dataPublicKey: arbitraryPublicKey, data: atMost(512), sendback: arbitraryU64 }),
  encode: encoding(dataRetrieve.encodeDataRetrieveResponse),
  decode: dataRetrieve.decodeDataRetrieveResponse,
  variableLength: true,
});

codecProperties("StoreAnnounceRequest", {
  arbitrary: fc.record({
    dataPublicKey: arbitraryPublicKey,
    nonce: arbitraryNonce,
    box: atMost(512 + 53, 53),
    sendback: arbitraryU64,
  }),
  encode: encoding(storeAnnounce.encodeStoreAnnounceRequest),
  decode: storeAnnounce.decodeStoreAnnounceRequest,
  variableLength: true,
});

codecProperties<storeAnnounce.Announcement>("Announcement", {
  arbitrary: fc.oneof(
    fc.record({
      auth: bytesOf(32),
      timeout: arbitraryU32,
      kind: fc.constant("data" as const),
      bytes: atMost(512),
    }),
    fc.record({
      auth: bytesOf(32),
      timeout: arbitraryU32,
      kind: fc.constant("renewal" as const),
      bytes: bytesOf(32),
    }),
  ),
  encode: encoding(storeAnnounce.encodeAnnouncement),
  decode: storeAnnounce.decodeAnnouncement,
  variableLength: true,
});

codecProperties("StoreAnnounceResponse", {
  arbitrary: fc.record({
    dataPublicKey: arbitraryPublicKey,
    timeout: arbitraryU32,
    time: arbitraryU64,
    sendback: arbitraryU64,
  }),
  encode: encoding(storeAnnounce.encodeStoreAnnounceResponse),
  decode: storeAnnounce.decodeStoreAnnounceResponse,
});

codecProperties("BootstrapInfoResponse", {
  arbitrary: fc.record({ version: arbitraryU32, motd: atMost(256) }),
  encode: encoding(bootstrapInfo.encodeBootstrapInfoResponse),
  decode: bootstrapInfo.decodeBootstrapInfoResponse,
  variableLength: true,
});

describe("sizes on the wire", () => {
  it("are toxcore's", () => {
    expect(ping.PING_PACKET_SIZE).toBe(82);
    expect(nodesRequest.NODES_REQUEST_PACKET_SIZE).toBe(113);
    expect(dhtRequest.MAX_DHT_REQUEST_PAYLOAD_SIZE).toBe(918);
    expect(forwarding.MAX_FORWARD_DATA_SIZE).toBe(1792);
  });

  it("writes a ping payload as toxcore does", () => {
    const into = new Uint8Array(9);
    ping.encodePingPayload(into, { id: 1, sendback: 0x0102030405060708n });
    expect(toHex(into)).toBe("010102030405060708");
  });

  it("takes a bootstrap info request of 78 bytes only", () => {
    const reasons: DropReason[] = [];
    const drop = (reason: DropReason) => void reasons.push(reason) as undefined;
    const request = new Uint8Array(78);
    expect(bootstrapInfo.encodeBootstrapInfoRequest(request)).toBe(78);
    expect(bootstrapInfo.decodeBootstrapInfoRequest(request, drop)).toBe(true);
    expect(bootstrapInfo.decodeBootstrapInfoRequest(request.subarray(1), drop)).toBeUndefined();
    expect(bootstrapInfo.decodeBootstrapInfoRequest(new Uint8Array(79), drop)).toBeUndefined();
    expect(reasons).toEqual(["truncated", "oversized"]);
  });
});

describe("a nodes response", () => {
  const reasonFor = (bytes: Uint8Array): DropReason | undefined => {
    let reason: DropReason | undefined;
    const drop = (why: DropReason): undefined => {
      reason = why;
      return undefined;
    };
    expect(nodesResponse.decodeNodesResponsePayload(bytes, drop)).toBeUndefined();
    return reason;
  };
  const node = `027F000001${"82A5"}${"11".repeat(32)}`;
  const sendback = "0000000000000007";
  const bytes = (hex: string) => fromHex(hex) as Uint8Array;

  it("is taken with one node", () => {
    const response = nodesResponse.decodeNodesResponsePayload(bytes(`01${node}${sendback}`), () => undefined);
    expect(response?.sendback).toBe(7n);
    expect(response?.nodes[0]?.endpoint).toEqual({ family: 4, address: Uint8Array.of(127, 0, 0, 1), port: 33445 });
  });

  it("is dropped whole when it names nobody", () => {
    expect(reasonFor(bytes(`00${sendback}`))).toBe("truncated");
    expect(reasonFor(bytes(`00${node}${sendback}`))).toBe("malformed");
  });

  it("is dropped whole with trailing bytes, too few nodes, five nodes or a TCP address", () => {
    expect(reasonFor(bytes(`01${node}00${sendback}`))).toBe("malformed");
    expect(reasonFor(bytes(`02${node}${sendback}`))).toBe("malformed");
    expect(reasonFor(bytes(`05${node.repeat(5)}${sendback}`))).toBe("malformed");
    expect(reasonFor(bytes(`01${node.replace(/^02/, "82")}${sendback}`))).toBe("malformed");
    expect(reasonFor(bytes(`02${node}${node.replace(/^02/, "82")}${sendback}`))).toBe("malformed");
  });
});
