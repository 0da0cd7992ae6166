/** Announcing oneself and searching others over the onion, with the family that group chats use. */
import {
  type AnnounceRequestBody,
  decodeAnnounceRequest,
  decodeAnnounceRequestBody,
  encodeAnnounceRequest,
  encodeAnnounceRequestBody,
} from "../../src/wire/onion/announce_request.ts";
import {
  type AnnounceResponseBody,
  decodeAnnounceResponse,
  decodeAnnounceResponseBody,
  encodeAnnounceResponse,
  encodeAnnounceResponseBody,
  type IsStored,
} from "../../src/wire/onion/announce_response.ts";
import {
  decodeGroupAnnounce,
  decodeMemberAnnounces,
  encodeGroupAnnounce,
  encodeMemberAnnounces,
  type GroupAnnounce,
  type MemberAnnounce,
} from "../../src/wire/onion/group_announce.ts";
import { atMost, broken, codec, family } from "../codec.ts";
import { bytes, FOUR_NODES, IPV4, IPV6, key, node, nonce } from "../samples.ts";

const nothing = bytes(0);
const pingIdOrDataKey = bytes(32, 6);
const byAddress: MemberAnnounce = { publicKey: key(1), endpoint: IPV4, relays: [] };
const byRelay: MemberAnnounce = { publicKey: key(2), endpoint: undefined, relays: [node(3, IPV4, "tcp")] };
const byBoth: MemberAnnounce = { publicKey: key(4), endpoint: IPV6, relays: [node(5, IPV6, "tcp")] };
const unreachable: MemberAnnounce = { publicKey: key(6), endpoint: undefined, relays: [] };
const manyRelays: MemberAnnounce = { ...byBoth, relays: [node(7, IPV4, "tcp"), node(8, IPV6, "tcp")] };

function requestBody(groupAnnounce: Uint8Array): AnnounceRequestBody {
  const keys = { searchedKey: key(2), dataPublicKey: key(3) };
  return { pingId: bytes(32, 1), ...keys, sendbackData: bytes(8), groupAnnounce };
}

function memberBounds({ endpoint, relays }: MemberAnnounce): void {
  atMost(1, relays.length, "relays");
  if (endpoint === undefined && relays.length === 0) broken("a member whom nobody can reach");
}

function bodyBounds({ nodes, groupAnnounces }: AnnounceResponseBody, mostAnnounces: number): void {
  atMost(4, nodes.length, "nodes");
  atMost(mostAnnounces, groupAnnounces.length, "group announces");
  if (nodes.some(({ transport }) => transport !== "udp")) broken("a TCP node");
}

export const { fuzz, corpus, limitMs } = family(
  codec({
    name: "AnnounceRequest",
    samples: [
      { group: false, nonce: nonce(1), publicKey: key(1), box: bytes(120) },
      { group: true, nonce: nonce(2), publicKey: key(2), box: bytes(120) },
      { group: true, nonce: nonce(3), publicKey: key(3), box: bytes(256) },
    ],
    beyond: [
      { group: false, nonce: nonce(1), publicKey: key(1), box: bytes(119) },
      { group: false, nonce: nonce(1), publicKey: key(1), box: bytes(121) },
      { group: true, nonce: nonce(3), publicKey: key(3), box: bytes(257) },
    ],
    encode: encodeAnnounceRequest,
    decode: decodeAnnounceRequest,
    bounds: ({ group, box }) => atMost(group ? 256 : 120, box.length, "the box"),
  }),
  codec({
    name: "AnnounceRequestBody",
    samples: [nothing, bytes(136)].map(requestBody),
    beyond: [requestBody(bytes(137))],
    encode: encodeAnnounceRequestBody,
    decode: decodeAnnounceRequestBody,
    bounds: ({ groupAnnounce }) => atMost(136, groupAnnounce.length, "the group's announce"),
  }),
  codec({
    name: "AnnounceResponse",
    samples: [
      { group: false, sendbackData: bytes(8), nonce: nonce(1), box: bytes(49) },
      { group: false, sendbackData: bytes(8), nonce: nonce(2), box: bytes(253) },
      { group: true, sendbackData: bytes(8), nonce: nonce(3), box: bytes(670) },
    ],
    beyond: [
      { group: false, sendbackData: bytes(8), nonce: nonce(1), box: bytes(48) },
      { group: false, sendbackData: bytes(8), nonce: nonce(2), box: bytes(254) },
      { group: true, sendbackData: bytes(8), nonce: nonce(3), box: bytes(671) },
    ],
    encode: encodeAnnounceResponse,
    decode: decodeAnnounceResponse,
    bounds: ({ group, box }) => atMost(group ? 670 : 253, box.length, "the box"),
  }),
  codec<AnnounceResponseBody>({
    name: "AnnounceResponseBody",
    samples: [
      { isStored: 0, pingIdOrDataKey, nodes: [], groupAnnounces: nothing },
      { isStored: 1, pingIdOrDataKey, nodes: [node(1)], groupAnnounces: nothing },
      { isStored: 2, pingIdOrDataKey, nodes: FOUR_NODES, groupAnnounces: nothing },
    ],
    beyond: [
      { isStored: 1, pingIdOrDataKey, nodes: [...FOUR_NODES, node(5)], groupAnnounces: nothing },
      { isStored: 1, pingIdOrDataKey, nodes: [node(1, IPV4, "tcp")], groupAnnounces: nothing },
      { isStored: 3 as IsStored, pingIdOrDataKey, nodes: [node(1)], groupAnnounces: nothing },
    ],
    encode: (into, body) => encodeAnnounceResponseBody(into, body, false),
    decode: (plain, drop) => decodeAnnounceResponseBody(plain, false, drop),
    bounds: (body) => bodyBounds(body, 0),
  }),
  codec<AnnounceResponseBody>({
    name: "GroupAnnounceResponseBody",
    samples: [
      { isStored: 0, pingIdOrDataKey, nodes: [], groupAnnounces: nothing },
      { isStored: 1, pingIdOrDataKey, nodes: FOUR_NODES, groupAnnounces: bytes(416) },
    ],
    beyond: [
      { isStored: 1, pingIdOrDataKey, nodes: FOUR_NODES, groupAnnounces: bytes(417) },
      { isStored: 0, pingIdOrDataKey, nodes: [...FOUR_NODES, node(5)], groupAnnounces: nothing },
    ],
    encode: (into, body) => encodeAnnounceResponseBody(into, body, true),
    decode: (plain, drop) => decodeAnnounceResponseBody(plain, true, drop),
    bounds: (body) => bodyBounds(body, 416),
  }),
  codec<GroupAnnounce>({
    name: "GroupAnnounce",
    samples: [byAddress, byRelay, byBoth].map((member) => ({ chatId: key(9), member })),
    beyond: [unreachable, manyRelays].map((member) => ({ chatId: key(9), member })),
    encode: encodeGroupAnnounce,
    decode: decodeGroupAnnounce,
    bounds: ({ member }) => memberBounds(member),
    canonical: (announce) => withFlag(announce, 64),
  }),
  codec<MemberAnnounce[]>({
    name: "MemberAnnounces",
    samples: [[], [byAddress], [byRelay, byBoth], [byBoth, byAddress, byRelay, byBoth]],
    beyond: [[unreachable], [byAddress, manyRelays], [byRelay, byRelay, byRelay, byRelay, byRelay]],
    encode: encodeMemberAnnounces,
    decode: decodeMemberAnnounces,
    bounds: (members) => {
      atMost(4, members.length, "members");
      for (const member of members) memberBounds(member);
    },
    // Each has a flag of its own; where they stand depends on what stands before.
    canonical: (announces) => (announces.length === 0 ? announces : undefined),
  }),
);

/** Any flag but 0 says that an address follows; ours is 1. */
function withFlag(announce: Uint8Array, at: number): Uint8Array {
  return announce[at] === 0 ? announce : announce.with(at, 1);
}
