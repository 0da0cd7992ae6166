/** Forwarding: requests and replies that travel over other nodes. */
import {
  decodeForwarding,
  decodeForwardReply,
  decodeForwardRequest,
  decodeForwardReturn,
  encodeForwarding,
  encodeForwardReply,
  encodeForwardRequest,
  encodeForwardReturn,
  type ForwardReturn,
} from "../../src/wire/dht/forwarding.ts";
import { atMost, broken, codec, family } from "../codec.ts";
import { bytes, IPV4, IPV6, key } from "../samples.ts";

/** A forward request inside another: a chain of two. */
const chained = new Uint8Array(100);
const chain = chained.subarray(0, encodeForwardRequest(chained, { next: key(2), data: bytes(50) }));

export const { fuzz, corpus, limitMs } = family(
  codec({
    name: "ForwardRequest",
    samples: [
      { next: key(1), data: bytes(0) },
      { next: key(1), data: chain },
      { next: key(3), data: bytes(1792) },
    ],
    beyond: [{ next: key(1), data: bytes(1793) }],
    encode: encodeForwardRequest,
    decode: decodeForwardRequest,
    bounds: ({ data }) => atMost(1792, data.length, "the data"),
  }),
  codec({
    name: "Forwarding",
    samples: [
      { sendback: bytes(0), data: bytes(0) },
      { sendback: bytes(40), data: bytes(90) },
      { sendback: bytes(254), data: bytes(1792) },
    ],
    beyond: [
      { sendback: bytes(255), data: bytes(10) },
      { sendback: bytes(3), data: bytes(1793) },
    ],
    encode: encodeForwarding,
    decode: decodeForwarding,
    bounds: ({ sendback, data }) => {
      atMost(254, sendback.length, "the sendback");
      atMost(1792, data.length, "the data");
    },
  }),
  codec({
    name: "ForwardReply",
    samples: [
      { sendback: bytes(1), data: bytes(0) },
      { sendback: bytes(254), data: bytes(1792) },
    ],
    beyond: [
      { sendback: bytes(0), data: bytes(10) },
      { sendback: bytes(255), data: bytes(10) },
      { sendback: bytes(3), data: bytes(1793) },
    ],
    encode: encodeForwardReply,
    decode: decodeForwardReply,
    bounds: ({ sendback, data }) => {
      if (sendback.length === 0) broken("a reply without a sendback");
      atMost(254, sendback.length, "the sendback");
      atMost(1792, data.length, "the data");
    },
  }),
  codec<ForwardReturn>({
    name: "ForwardReturn",
    samples: [
      { to: IPV4 },
      { to: IPV6 },
      { to: IPV4, sendback: bytes(0) },
      { to: IPV6, sendback: bytes(200) },
      { client: 7 },
    ],
    encode: (into, way) => encodeForwardReturn(into, 0, way),
    decode: decodeForwardReturn,
  }),
);
