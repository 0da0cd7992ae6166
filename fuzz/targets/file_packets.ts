/** What friends say about files. */
import { decodeFileControl, encodeFileControl, type FileControl } from "../../src/wire/friend/file_control.ts";
import { decodeFileData, encodeFileData, type FileData } from "../../src/wire/friend/file_data.ts";
import { decodeFileHash, encodeFileHash, type FileHash } from "../../src/wire/friend/file_hash.ts";
import { decodeFileRequest, encodeFileRequest, type FileRequest } from "../../src/wire/friend/file_request.ts";
import { atMost, codec, family, into } from "../codec.ts";
import { bytes, MAX_U64 } from "../samples.ts";

export const { fuzz, corpus, limitMs } = family(
  codec<FileRequest>({
    name: "file request",
    samples: [
      { slot: 0, kind: 0, size: 0n, fileId: bytes(32), name: bytes(0) },
      { slot: 255, kind: 0xffff_ffff, size: MAX_U64, fileId: bytes(32), name: bytes(255) },
    ],
    beyond: [{ slot: 0, kind: 0, size: 0n, fileId: bytes(32), name: bytes(256) }],
    encode: into(encodeFileRequest),
    decode: decodeFileRequest,
    bounds: ({ name }) => atMost(255, name.length, "the name"),
  }),
  codec<FileControl>({
    name: "file control",
    samples: [
      { byReceiver: true, slot: 0, control: "accept", position: 0n },
      { byReceiver: false, slot: 255, control: "kill", position: 0n },
      { byReceiver: true, slot: 255, control: "seek", position: MAX_U64 },
    ],
    encode: into(encodeFileControl),
    decode: decodeFileControl,
  }),
  codec<FileHash>({
    name: "file hash",
    samples: [{ fileId: bytes(32), hash: bytes(32) }],
    encode: into(encodeFileHash),
    decode: decodeFileHash,
  }),
  codec<FileData>({
    name: "file data",
    samples: [
      { slot: 0, data: bytes(0) },
      { slot: 255, data: bytes(1371) },
    ],
    beyond: [{ slot: 0, data: bytes(1372) }],
    encode: into(encodeFileData),
    decode: decodeFileData,
    bounds: ({ data }) => atMost(1371, data.length, "the data"),
  }),
);
