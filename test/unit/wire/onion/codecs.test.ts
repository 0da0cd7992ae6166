import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ignoreDrop } from "../../../../src/wire/drop.ts";
import {
  ANNOUNCE_REQUEST_SIZE,
  decodeAnnounceRequest,
  decodeAnnounceRequestBody,
  encodeAnnounceRequest,
  encodeAnnounceRequestBody,
  MAX_ANNOUNCE_REQUEST_SIZE,
} from "../../../../src/wire/onion/announce_request.ts";
import {
  type AnnounceResponseBody,
  decodeAnnounceResponse,
  decodeAnnounceResponseBody,
  encodeAnnounceResponse,
  encodeAnnounceResponseBody,
  type IsStored,
  MIN_ANNOUNCE_RESPONSE_SIZE,
} from "../../../../src/wire/onion/announce_response.ts";
import {
  decodeDhtPublicKeyPacket,
  decodeSealedDhtPublicKey,
  encodeDhtPublicKeyPacket,
  encodeSealedDhtPublicKey,
} from "../../../../src/wire/onion/dht_public_key.ts";
import {
  decodeGroupAnnounce,
  decodeMemberAnnounces,
  encodeGroupAnnounce,
  encodeMemberAnnounces,
  type MemberAnnounce,
} from "../../../../src/wire/onion/group_announce.ts";
import {
  decodeOnionDataBody,
  decodeOnionDataRequest,
  decodeOnionDataResponse,
  encodeOnionDataBody,
  encodeOnionDataRequest,
  encodeOnionDataResponse,
  MAX_ONION_DATA_PAYLOAD_SIZE,
  MAX_ONION_DATA_RESPONSE_SIZE,
} from "../../../../src/wire/onion/onion_data.ts";
import {
  decodeDeliveredRequest,
  decodeOnionRequest,
  decodeOnionRequestLayer,
  encodeDeliveredRequest,
  encodeOnionRequest,
  encodeOnionRequestLayer,
  isOnionRequestData,
  type OnionLayer,
} from "../../../../src/wire/onion/onion_request.ts";
import {
  decodeOnionResponse,
  decodeSealedSendback,
  decodeSendback,
  encodeOnionResponse,
  encodeSealedSendback,
  encodeSendback,
  isOnionResponseData,
} from "../../../../src/wire/onion/onion_response.ts";
import {
  MAX_ONION_REQUEST_DATA_SIZE,
  MAX_ONION_RESPONSE_DATA_SIZE,
  type SendbackDepth,
  sendbackSize,
} from "../../../../src/wire/onion/sizes.ts";
import {
  arbitraryEndpoint,
  arbitraryNonce,
  arbitraryPackedNode,
  arbitraryPublicKey,
  arbitraryU64,
  bytesOf,
} from "../../../support/arbitraries.ts";
import { codecProperties } from "../../../support/codec_properties.ts";

const bytesFrom = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });

/** Makes an encoder that fills a buffer into one that answers the packet. */
const whole =
  <T>(encode: (into: Uint8Array, packet: T) => number) =>
  (packet: T): Uint8Array => {
    const into = new Uint8Array(2048).fill(0xee);
    return into.slice(0, encode(into, packet));
  };

const udpNode = arbitraryPackedNode.map((node) => ({ ...node, transport: "udp" as const }));
const udpNodes = fc.array(udpNode, { maxLength: 4 });
const smallestBox: Record<OnionLayer, number> = { 0: 170, 1: 103, 2: 36 };

for (const layer of [0, 1, 2] as const) {
  codecProperties(`OnionRequest${layer}`, {
    arbitrary: fc.record({
      layer: fc.constant(layer),
      nonce: arbitraryNonce,
      publicKey: arbitraryPublicKey,
      box: bytesFrom(smallestBox[layer], 1100),
      sendback: bytesOf(layer * 59),
    }),
    encode: whole(encodeOnionRequest),
    decode: decodeOnionRequest,
    variableLength: true,
  });
}

codecProperties("OnionRequestLayer", {
  arbitrary: fc.record({ next: arbitraryEndpoint, data: bytesFrom(1, 1300) }),
  encode: whole(encodeOnionRequestLayer),
  decode: decodeOnionRequestLayer,
  variableLength: true,
});

codecProperties("DeliveredRequest", {
  arbitrary: fc.record({ request: bytesFrom(1, 1200), sendback: bytesOf(177) }),
  encode: whole(encodeDeliveredRequest),
  decode: decodeDeliveredRequest,
  variableLength: true,
});

for (const depth of [1, 2, 3] as const) {
  codecProperties(`OnionResponse${depth}`, {
    arbitrary: fc.record({ depth: fc.constant(depth), sendback: bytesOf(depth * 59), data: bytesFrom(1, 1200) }),
    encode: whole(encodeOnionResponse),
    decode: decodeOnionResponse,
    variableLength: true,
  });
}

codecProperties("SealedSendback", {
  arbitrary: fc.record({ nonce: arbitraryNonce, box: bytesFrom(16, 153) }),
  encode: whole(encodeSealedSendback),
  decode: decodeSealedSendback,
  variableLength: true,
});

codecProperties("Sendback", {
  arbitrary: fc.record({
    from: arbitraryEndpoint,
    transport: fc.constantFrom("udp" as const, "tcp" as const),
    rest: bytesFrom(0, 118),
  }),
  encode: whole(encodeSendback),
  decode: decodeSendback,
  variableLength: true,
});

for (const group of [false, true]) {
  const name = group ? "GroupAnnounce" : "Announce";
  codecProperties(`${name}Request`, {
    arbitrary: fc.record({
      group: fc.constant(group),
      nonce: arbitraryNonce,
      publicKey: arbitraryPublicKey,
      box: group ? bytesFrom(120, 256) : bytesOf(120),
    }),
    encode: whole(encodeAnnounceRequest),
    decode: decodeAnnounceRequest,
    variableLength: true,
  });

  codecProperties(`${name}Response`, {
    arbitrary: fc.record({
      group: fc.constant(group),
      sendbackData: bytesOf(8),
      nonce: arbitraryNonce,
      box: bytesFrom(group ? 50 : 49, 253),
    }),
    encode: whole(encodeAnnounceResponse),
    decode: decodeAnnounceResponse,
    variableLength: true,
  });

  codecProperties<AnnounceResponseBody>(`${name}ResponseBody`, {
    arbitrary: fc.record({
      isStored: fc.constantFrom<IsStored>(0, 1, 2),
      pingIdOrDataKey: bytesOf(32),
      nodes: udpNodes,
      groupAnnounces: bytesFrom(0, group ? 416 : 0),
    }),
    encode: whole((into, body) => encodeAnnounceResponseBody(into, body, group)),
    decode: (bytes, drop) => decodeAnnounceResponseBody(bytes, group, drop),
    variableLength: true,
  });
}

codecProperties("AnnounceRequestBody", {
  arbitrary: fc.record({
    pingId: bytesOf(32),
    searchedKey: arbitraryPublicKey,
    dataPublicKey: arbitraryPublicKey,
    sendbackData: bytesOf(8),
    groupAnnounce: bytesFrom(0, 136),
  }),
  encode: whole(encodeAnnounceRequestBody),
  decode: decodeAnnounceRequestBody,
  variableLength: true,
});

const arbitraryMember: fc.Arbitrary<MemberAnnounce> = fc
  .record({
    publicKey: arbitraryPublicKey,
    endpoint: fc.option(arbitraryEndpoint, { nil: undefined }),
    relays: fc.array(arbitraryPackedNode, { maxLength: 1 }),
  })
  .filter(({ endpoint, relays }) => endpoint !== undefined || relays.length > 0);

codecProperties("GroupAnnounce", {
  arbitrary: fc.record({ chatId: arbitraryPublicKey, member: arbitraryMember }),
  encode: whole(encodeGroupAnnounce),
  decode: decodeGroupAnnounce,
});

codecProperties("MemberAnnounces", {
  arbitrary: fc.array(arbitraryMember, { minLength: 1, maxLength: 4 }),
  encode: whole(encodeMemberAnnounces),
  decode: decodeMemberAnnounces,
  variableLength: true,
});

codecProperties("OnionDataRequest", {
  arbitrary: fc.record({
    destination: arbitraryPublicKey,
    nonce: arbitraryNonce,
    temporaryKey: arbitraryPublicKey,
    box: bytesFrom(17, 1085),
  }),
  encode: whole(encodeOnionDataRequest),
  decode: decodeOnionDataRequest,
  variableLength: true,
});

codecProperties("OnionDataResponse", {
  arbitrary: fc.record({ nonce: arbitraryNonce, temporaryKey: arbitraryPublicKey, box: bytesFrom(65, 1012) }),
  encode: whole(encodeOnionDataResponse),
  decode: decodeOnionDataResponse,
  variableLength: true,
});

codecProperties("OnionDataBody", {
  arbitrary: fc.record({ sender: arbitraryPublicKey, box: bytesFrom(17, 900) }),
  encode: whole(encodeOnionDataBody),
  decode: decodeOnionDataBody,
  variableLength: true,
});

codecProperties("DhtPublicKeyPacket", {
  arbitrary: fc.record({
    noReplay: arbitraryU64,
    dhtPublicKey: arbitraryPublicKey,
    nodes: fc.array(arbitraryPackedNode, { maxLength: 4 }),
  }),
  encode: whole(encodeDhtPublicKeyPacket),
  decode: decodeDhtPublicKeyPacket,
  variableLength: true,
});

codecProperties("SealedDhtPublicKey", {
  arbitrary: fc.record({ sender: arbitraryPublicKey, nonce: arbitraryNonce, box: bytesFrom(57, 261) }),
  encode: whole(encodeSealedDhtPublicKey),
  decode: decodeSealedDhtPublicKey,
  variableLength: true,
});

describe("the sizes of the reference", () => {
  it("agree with onion.h and onion_announce.h", () => {
    expect([1, 2, 3].map((depth) => sendbackSize(depth as SendbackDepth))).toEqual([59, 118, 177]);
    expect(MAX_ONION_REQUEST_DATA_SIZE).toBe(1174);
    expect(MAX_ONION_RESPONSE_DATA_SIZE).toBe(1222);
    expect([ANNOUNCE_REQUEST_SIZE, MAX_ANNOUNCE_REQUEST_SIZE]).toEqual([177, 313]);
    expect(MIN_ANNOUNCE_RESPONSE_SIZE).toBe(82);
    expect(MAX_ONION_DATA_RESPONSE_SIZE).toBe(1069);
    expect(MAX_ONION_DATA_PAYLOAD_SIZE).toBe(948);
  });

  it("bound a request at each layer: one byte of data at least, 1400 bytes at most", () => {
    for (const [id, smallest] of [
      [0x80, 227],
      [0x81, 219],
      [0x82, 211],
    ] as const) {
      const packetOf = (length: number) => new Uint8Array(length).fill(id, 0, 1);
      expect(decodeOnionRequest(packetOf(smallest - 1), ignoreDrop)).toBeUndefined();
      expect(decodeOnionRequest(packetOf(smallest), ignoreDrop)).toBeDefined();
      expect(decodeOnionRequest(packetOf(1400), ignoreDrop)).toBeDefined();
      expect(decodeOnionRequest(packetOf(1401), ignoreDrop)).toBeUndefined();
    }
  });
});

describe("the layouts", () => {
  it("of requests and responses have the ids in the reference's order", () => {
    const empty = new Uint8Array(0);
    const fields = { nonce: empty, publicKey: empty, box: empty, sendback: empty };
    const requests = ([0, 1, 2] as const).map((layer) => whole(encodeOnionRequest)({ layer, ...fields })[0]);
    expect(requests).toEqual([0x80, 0x81, 0x82]);
    const back = ([3, 2, 1] as const).map(
      (depth) => whole(encodeOnionResponse)({ depth, sendback: empty, data: empty })[0],
    );
    expect(back).toEqual([0x8c, 0x8d, 0x8e]);
  });

  it("of an announce response puts the node count before the nodes with 0x88 only", () => {
    const node = {
      publicKey: new Uint8Array(32).fill(7) as never,
      endpoint: { family: 4 as const, address: Uint8Array.of(1, 2, 3, 4), port: 0x8235 },
      transport: "udp" as const,
    };
    const body = {
      isStored: 2 as const,
      pingIdOrDataKey: new Uint8Array(32).fill(9),
      nodes: [node],
      groupAnnounces: new Uint8Array(0),
    };
    const plain = whole((into, packet: typeof body) => encodeAnnounceResponseBody(into, packet, false))(body);
    const grouped = whole((into, packet: typeof body) => encodeAnnounceResponseBody(into, packet, true))(body);
    const packed = [2, 1, 2, 3, 4, 0x82, 0x35, ...new Uint8Array(32).fill(7)];
    expect([...plain]).toEqual([2, ...new Uint8Array(32).fill(9), ...packed]);
    expect([...grouped]).toEqual([2, ...new Uint8Array(32).fill(9), 1, ...packed]);
  });

  it("of an onion address is 19 bytes, zeros behind an IPv4 address", () => {
    const next = { family: 4 as const, address: Uint8Array.of(10, 0, 0, 1), port: 33445 };
    const plain = whole(encodeOnionRequestLayer)({ next, data: Uint8Array.of(0x83) });
    expect([...plain]).toEqual([2, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x82, 0xa5, 0x83]);
  });

  it("refuse nodes of TCP families in announce responses, and TCP next hops", () => {
    const body = {
      isStored: 0 as const,
      pingIdOrDataKey: new Uint8Array(32),
      nodes: [
        {
          publicKey: new Uint8Array(32) as never,
          endpoint: { family: 4 as const, address: Uint8Array.of(1, 2, 3, 4), port: 1 },
          transport: "tcp" as const,
        },
      ],
      groupAnnounces: new Uint8Array(0),
    };
    const plain = whole((into, packet: typeof body) => encodeAnnounceResponseBody(into, packet, false))(body);
    expect(decodeAnnounceResponseBody(plain, false, ignoreDrop)).toBeUndefined();
    for (const family of [130, 138, 0, 3]) {
      const layer = new Uint8Array(30).fill(1);
      layer[0] = family;
      expect(decodeOnionRequestLayer(layer, ignoreDrop)).toBeUndefined();
    }
  });
});

describe("the filters", () => {
  const idsThat = (takes: (id: number) => boolean) => [...Array(256).keys()].filter(takes);

  it("let announce and data packets through, and nothing else", () => {
    expect(idsThat(isOnionRequestData)).toEqual([0x83, 0x85, 0x87]);
    expect(idsThat(isOnionResponseData)).toEqual([0x84, 0x86, 0x88]);
  });
});
