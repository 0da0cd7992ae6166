/**
 * Payloads of DataSearchRequest (0x93) and DataSearchResponse (0x94): what does a node store under a key, and who is nearer?
 * c-toxcore `announce.c` (create_reply_plain_data_search_request); spec.md's chapter on it is another protocol.
 *
 *   request                          response                             response, nothing has changed
 *   32   data public key             32    data public key                32   data public key
 *   32   hash of an earlier          1     1 when something is stored     8    sendback
 *        response, may be left out   32    SHA-256 of it, only then
 *   8    sendback                    32    timed authenticator
 *                                    1     1 when a store request would be accepted
 *                                    1     number of nodes, at most 4
 *                                    39/51 each node, packed
 *                                    8     sendback
 */
import { PUBLIC_KEY_SIZE, type PublicKey } from "../../crypto/keys.ts";
import { readU64, writeU64 } from "../../util/bytes.ts";
import type { Drop } from "../drop.ts";
import { decodePackedNodes, encodePackedNodes, type PackedNode } from "../packed_node.ts";
import { MAX_SENT_NODES } from "./nodes_response.ts";

const HASH_SIZE = 32;
const AUTH_SIZE = 32;
const SENDBACK_SIZE = 8;

export interface DataSearchRequest {
  readonly dataPublicKey: PublicKey;
  /** SHA-256 of the last response without its sendback. */
  readonly previousHash?: Uint8Array;
  readonly sendback: bigint;
}

export function encodeDataSearchRequest(into: Uint8Array, request: DataSearchRequest): number {
  into.set(request.dataPublicKey, 0);
  let end = PUBLIC_KEY_SIZE;
  if (request.previousHash !== undefined) {
    into.set(request.previousHash, end);
    end += HASH_SIZE;
  }
  writeU64(into, end, request.sendback);
  return end + SENDBACK_SIZE;
}

export function decodeDataSearchRequest(bytes: Uint8Array, drop: Drop): DataSearchRequest | undefined {
  const sendbackAt = bytes.length - SENDBACK_SIZE;
  if (sendbackAt < PUBLIC_KEY_SIZE) return drop("truncated");
  if (sendbackAt > PUBLIC_KEY_SIZE + HASH_SIZE) return drop("oversized");
  const dataPublicKey = bytes.slice(0, PUBLIC_KEY_SIZE) as PublicKey;
  const sendback = readU64(bytes, sendbackAt);
  if (sendbackAt === PUBLIC_KEY_SIZE) return { dataPublicKey, sendback };
  if (sendbackAt < PUBLIC_KEY_SIZE + HASH_SIZE) return drop("malformed");
  return { dataPublicKey, previousHash: bytes.slice(PUBLIC_KEY_SIZE, sendbackAt), sendback };
}

export interface DataSearchResult {
  readonly storedHash?: Uint8Array;
  readonly auth: Uint8Array;
  readonly wouldStore: boolean;
  readonly nodes: readonly PackedNode[];
}

export interface DataSearchResponse {
  readonly dataPublicKey: PublicKey;
  /** Left out when nothing has changed since the response whose hash was sent. */
  readonly result?: DataSearchResult;
  readonly sendback: bigint;
}

/** Writes the response without its sendback: what `previousHash` is the hash of. */
export function encodeDataSearchResult(into: Uint8Array, dataPublicKey: PublicKey, result: DataSearchResult): number {
  into.set(dataPublicKey, 0);
  let end = PUBLIC_KEY_SIZE;
  into[end++] = result.storedHash === undefined ? 0 : 1;
  if (result.storedHash !== undefined) {
    into.set(result.storedHash, end);
    end += HASH_SIZE;
  }
  into.set(result.auth, end);
  end += AUTH_SIZE;
  into[end++] = result.wouldStore ? 1 : 0;
  into[end++] = result.nodes.length;
  return encodePackedNodes(into, end, result.nodes);
}

export function encodeDataSearchResponse(into: Uint8Array, response: DataSearchResponse): number {
  let end = PUBLIC_KEY_SIZE;
  if (response.result === undefined) into.set(response.dataPublicKey, 0);
  else end = encodeDataSearchResult(into, response.dataPublicKey, response.result);
  writeU64(into, end, response.sendback);
  return end + SENDBACK_SIZE;
}

export function decodeDataSearchResponse(bytes: Uint8Array, drop: Drop): DataSearchResponse | undefined {
  const sendbackAt = bytes.length - SENDBACK_SIZE;
  if (sendbackAt < PUBLIC_KEY_SIZE) return drop("truncated");
  const dataPublicKey = bytes.slice(0, PUBLIC_KEY_SIZE) as PublicKey;
  const sendback = readU64(bytes, sendbackAt);
  if (sendbackAt === PUBLIC_KEY_SIZE) return { dataPublicKey, sendback };
  const result = decodeResult(bytes.subarray(PUBLIC_KEY_SIZE, sendbackAt));
  return result === undefined ? drop("malformed") : { dataPublicKey, result, sendback };
}

function decodeResult(bytes: Uint8Array): DataSearchResult | undefined {
  const isStored = bytes[0];
  if (isStored !== 0 && isStored !== 1) return undefined;
  const authAt = 1 + isStored * HASH_SIZE;
  const wouldStore = bytes[authAt + AUTH_SIZE];
  const count = bytes[authAt + AUTH_SIZE + 1];
  if (wouldStore !== 0 && wouldStore !== 1) return undefined;
  if (count === undefined || count > MAX_SENT_NODES) return undefined;
  const packed = decodePackedNodes(bytes, authAt + AUTH_SIZE + 2, count);
  if (packed === undefined || packed.nodes.length !== count || packed.end !== bytes.length) return undefined;
  const auth = bytes.slice(authAt, authAt + AUTH_SIZE);
  const rest = { auth, wouldStore: wouldStore === 1, nodes: packed.nodes };
  return isStored === 1 ? { storedHash: bytes.slice(1, authAt), ...rest } : rest;
}
