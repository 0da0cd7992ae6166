/** What friends send each other in a session, and friend requests. */
import {
  decodeHandled,
  decodeHello,
  decodeMessageFragment,
  decodeNatReport,
  decodePunchReady,
  encodeHandled,
  encodeHello,
  encodeMessageFragment,
  encodeNatReport,
  encodePunchReady,
  type Hello,
  type MessageFragment,
  type MessageMark,
  type NatKind,
} from "../../src/wire/friend/extension.ts";
import {
  decodeFriendRequestData,
  encodeFriendRequestData,
  type FriendRequestData,
} from "../../src/wire/friend/friend_request.ts";
import { decodeMessage, encodeMessage, type MessagePacket } from "../../src/wire/friend/message.ts";
import {
  decodeNickname,
  decodeStatusMessage,
  decodeTyping,
  decodeUserStatus,
  encodeNickname,
  encodeStatusMessage,
  encodeTyping,
  encodeUserStatus,
  type UserStatus,
} from "../../src/wire/friend/presence.ts";
import { decodeShareRelays, encodeShareRelays } from "../../src/wire/friend/share_relays.ts";
import type { PackedNode } from "../../src/wire/packed_node.ts";
import { atMost, broken, codec, family, into } from "../codec.ts";
import { bytes, IPV4, IPV6, MAX_U64, node } from "../samples.ts";

const mark: MessageMark = { epoch: 1n, sequence: 2n };
const lastMark: MessageMark = { epoch: MAX_U64, sequence: MAX_U64 };

export const { fuzz, corpus, limitMs } = family(
  codec({
    name: "nickname",
    samples: [bytes(0), bytes(128)],
    beyond: [bytes(129)],
    encode: into(encodeNickname),
    decode: decodeNickname,
    bounds: (name) => atMost(128, name.length, "the name"),
  }),
  codec({
    name: "status message",
    samples: [bytes(0), bytes(1007)],
    beyond: [bytes(1008)],
    encode: into(encodeStatusMessage),
    decode: decodeStatusMessage,
    bounds: (text) => atMost(1007, text.length, "the status message"),
  }),
  codec<UserStatus>({
    name: "user status",
    samples: ["none", "away", "busy"],
    encode: into(encodeUserStatus),
    decode: decodeUserStatus,
  }),
  codec<boolean>({
    name: "typing",
    samples: [true, false],
    encode: into(encodeTyping),
    decode: decodeTyping,
    // Anything but 0 is typing; ours is 1.
    canonical: (packet) => (packet[1] === 0 ? packet : packet.with(1, 1)),
  }),
  codec<MessagePacket>({
    name: "message",
    samples: [
      { action: false, text: bytes(1) },
      { action: true, text: bytes(1372) },
    ],
    beyond: [0, 1373].map((size) => ({ action: false, text: bytes(size) })),
    encode: into(encodeMessage),
    decode: decodeMessage,
    bounds: ({ text }) => {
      atMost(1372, text.length, "the text");
      if (text.length === 0) broken("an empty message");
    },
  }),
  codec<FriendRequestData>({
    name: "friend request",
    samples: [
      { nospam: 0, message: bytes(1) },
      { nospam: 0xffff_ffff, message: bytes(921) },
    ],
    beyond: [{ nospam: 0, message: bytes(0) }],
    encode: into(encodeFriendRequestData),
    decode: decodeFriendRequestData,
    bounds: ({ message }) => {
      if (message.length === 0) broken("a request that says nothing");
    },
  }),
  codec<PackedNode[]>({
    name: "share relays",
    samples: [[], [node(1, IPV4, "tcp")], [node(1, IPV6, "tcp"), node(2, IPV4, "tcp"), node(3, IPV6, "tcp")]],
    beyond: [[node(1)], [1, 2, 3, 4].map((seed) => node(seed, IPV6, "tcp"))],
    encode: into(encodeShareRelays),
    decode: decodeShareRelays,
    bounds: (relays) => {
      atMost(3, relays.length, "relays");
      if (relays.some(({ transport }) => transport !== "tcp")) broken("a relay without TCP");
    },
  }),
  codec<Hello>({
    name: "hello",
    samples: [
      { version: 1, capabilities: 1 },
      { version: 255, capabilities: 0xffff_ffff, handled: lastMark },
    ],
    beyond: [{ version: 0, capabilities: 1 }],
    encode: into(encodeHello),
    decode: decodeHello,
    // What we do not know is skipped, and gone when encoded again.
    canonical: (packet) => (packet.length === 7 ? packet : undefined),
  }),
  codec<MessageFragment>({
    name: "message fragment",
    samples: [
      { ...mark, action: false, more: false, text: bytes(1) },
      { ...lastMark, action: true, more: true, text: bytes(1354) },
    ],
    beyond: [
      { ...mark, action: false, more: false, text: bytes(0) },
      { ...mark, action: false, more: false, text: bytes(1355) },
      { epoch: 1n, sequence: 0n, action: false, more: true, text: bytes(3) },
    ],
    encode: into(encodeMessageFragment),
    decode: decodeMessageFragment,
    bounds: ({ sequence, text }) => {
      atMost(1354, text.length, "the text");
      if (sequence === 0n || text.length === 0) broken("a fragment without a number or text");
    },
    // Flags that we do not know are overlooked.
    canonical: (packet) => packet.with(18, (packet[18] ?? 0) & 3),
  }),
  codec<MessageMark>({
    name: "handled",
    samples: [mark, lastMark],
    encode: into(encodeHandled),
    decode: decodeHandled,
  }),
  codec<NatKind>({
    name: "nat_report",
    samples: ["unknown", "stable", "random"],
    encode: into(encodeNatReport),
    decode: decodeNatReport,
  }),
  codec<number>({
    name: "punch_ready",
    samples: [0, 256, 65_535],
    encode: into(encodePunchReady),
    decode: decodePunchReady,
  }),
);
