/** The DHT's announce store: search, retrieve, store. */
import {
  type DataRetrieveRequest,
  type DataRetrieveResponse,
  decodeDataRetrieveRequest,
  decodeDataRetrieveResponse,
  encodeDataRetrieveRequest,
  encodeDataRetrieveResponse,
} from "../../src/wire/dht/data_retrieve.ts";
import {
  type DataSearchRequest,
  type DataSearchResponse,
  decodeDataSearchRequest,
  decodeDataSearchResponse,
  encodeDataSearchRequest,
  encodeDataSearchResponse,
} from "../../src/wire/dht/data_search.ts";
import {
  type Announcement,
  decodeAnnouncement,
  decodeStoreAnnounceRequest,
  decodeStoreAnnounceResponse,
  encodeAnnouncement,
  encodeStoreAnnounceRequest,
  encodeStoreAnnounceResponse,
  type StoreAnnounceRequest,
  type StoreAnnounceResponse,
} from "../../src/wire/dht/store_announce.ts";
import { atMost, broken, codec, family } from "../codec.ts";
import { bytes, FOUR_NODES, IPV6, key, MAX_U64, node, nonce } from "../samples.ts";

const dataPublicKey = key(1);
const auth = bytes(32, 5);

export const { fuzz, corpus, limitMs } = family(
  codec<DataSearchRequest>({
    name: "DataSearchRequest",
    samples: [
      { dataPublicKey, sendback: 1n },
      { dataPublicKey, previousHash: bytes(32, 2), sendback: MAX_U64 },
    ],
    encode: encodeDataSearchRequest,
    decode: decodeDataSearchRequest,
  }),
  codec<DataSearchResponse>({
    name: "DataSearchResponse",
    samples: [
      { dataPublicKey, sendback: 2n },
      { dataPublicKey, result: { auth, wouldStore: false, nodes: [] }, sendback: 3n },
      { dataPublicKey, result: { auth, wouldStore: true, nodes: FOUR_NODES }, sendback: 4n },
      {
        dataPublicKey,
        result: { storedHash: bytes(32, 3), auth, wouldStore: true, nodes: [node(1, IPV6, "tcp")] },
        sendback: MAX_U64,
      },
    ],
    beyond: [{ dataPublicKey, result: { auth, wouldStore: true, nodes: [...FOUR_NODES, node(5)] }, sendback: 2n }],
    encode: encodeDataSearchResponse,
    decode: decodeDataSearchResponse,
    bounds: ({ result }) => atMost(4, result?.nodes.length ?? 0, "nodes"),
  }),
  codec<DataRetrieveRequest>({
    name: "DataRetrieveRequest",
    samples: [{ dataPublicKey, auth, sendback: 5n }],
    encode: encodeDataRetrieveRequest,
    decode: decodeDataRetrieveRequest,
  }),
  codec<DataRetrieveResponse>({
    name: "DataRetrieveResponse",
    samples: [
      { dataPublicKey, data: bytes(0), sendback: 6n },
      { dataPublicKey, data: bytes(512), sendback: MAX_U64 },
    ],
    beyond: [{ dataPublicKey, data: bytes(513), sendback: 6n }],
    encode: encodeDataRetrieveResponse,
    decode: decodeDataRetrieveResponse,
    bounds: ({ data }) => atMost(512, data.length, "the data"),
  }),
  codec<StoreAnnounceRequest>({
    name: "StoreAnnounceRequest",
    samples: [
      { dataPublicKey, nonce: nonce(1), box: bytes(53), sendback: 7n },
      { dataPublicKey, nonce: nonce(2), box: bytes(565), sendback: MAX_U64 },
    ],
    beyond: [52, 566].map((size) => ({ dataPublicKey, nonce: nonce(1), box: bytes(size), sendback: 7n })),
    encode: encodeStoreAnnounceRequest,
    decode: decodeStoreAnnounceRequest,
    bounds: ({ box }) => atMost(565, box.length, "the box"),
  }),
  codec<Announcement>({
    name: "Announcement",
    samples: [
      { auth, timeout: 0, kind: "data", bytes: bytes(0) },
      { auth, timeout: 0xffff_ffff, kind: "data", bytes: bytes(512) },
      { auth, timeout: 900, kind: "renewal", bytes: bytes(32, 4) },
    ],
    beyond: [
      { auth, timeout: 1, kind: "data", bytes: bytes(513) },
      { auth, timeout: 1, kind: "renewal", bytes: bytes(31) },
      { auth, timeout: 1, kind: "renewal", bytes: bytes(33) },
    ],
    encode: encodeAnnouncement,
    decode: decodeAnnouncement,
    bounds: (announcement) => {
      atMost(512, announcement.bytes.length, "the data");
      if (announcement.kind === "renewal" && announcement.bytes.length !== 32) broken("a renewal without a SHA-256");
    },
  }),
  codec<StoreAnnounceResponse>({
    name: "StoreAnnounceResponse",
    samples: [{ dataPublicKey, timeout: 900, time: 1_700_000_000n, sendback: MAX_U64 }],
    encode: encodeStoreAnnounceResponse,
    decode: decodeStoreAnnounceResponse,
  }),
);
