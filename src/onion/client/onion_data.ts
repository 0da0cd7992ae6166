import type { Crypto } from "../../crypto/crypto.ts";
import type { KeyBudget } from "../../crypto/key_budget.ts";
import type { KeyPair, Nonce, PublicKey } from "../../crypto/keys.ts";
import { MAC_SIZE, PUBLIC_KEY_SIZE } from "../../crypto/keys.ts";
import type { SharedKeyCache } from "../../crypto/shared_key_cache.ts";
import type { Drop } from "../../wire/drop.ts";
import {
  decodeOnionDataBody,
  decodeOnionDataResponse,
  encodeOnionDataBody,
  encodeOnionDataRequest,
} from "../../wire/onion/onion_data.ts";

/** Onion data sealed for its addressee, to be wrapped for each announce node. */
export interface SealedData {
  readonly nonce: Nonce;
  /** Sender ‖ inner box. */
  readonly body: Uint8Array;
}

/** Onion data that somebody sent us; `payload` begins with its id. */
export interface OpenedData {
  readonly sender: PublicKey;
  readonly payload: Uint8Array;
}

const DATA_REQUEST_OVERHEAD = 1 + PUBLIC_KEY_SIZE + 24 + PUBLIC_KEY_SIZE + MAC_SIZE;

/** Seals a payload under the long-term keys. Undefined for an addressee whose key is of small order. */
export function sealData(
  crypto: Crypto,
  self: PublicKey,
  selfShared: SharedKeyCache,
  addressee: PublicKey,
  payload: Uint8Array,
): SealedData | undefined {
  const sharedKey = selfShared.get(addressee);
  if (sharedKey === undefined) return undefined;
  const nonce = crypto.nonce();
  const box = crypto.seal(payload, nonce, sharedKey);
  const body = new Uint8Array(PUBLIC_KEY_SIZE + box.length);
  encodeOnionDataBody(body, { sender: self, box });
  return { nonce, body };
}

/** The packet 0x85 for an announce node that named `dataKey`. Undefined when that key is of small order. */
export function wrapData(
  crypto: Crypto,
  addressee: PublicKey,
  dataKey: PublicKey,
  { nonce, body }: SealedData,
): Uint8Array | undefined {
  const temporary = crypto.keyPair();
  const sharedKey = crypto.sharedKey(dataKey, temporary.secretKey);
  crypto.wipe(temporary.secretKey);
  if (sharedKey === undefined) return undefined;
  const box = crypto.seal(body, nonce, sharedKey);
  crypto.wipe(sharedKey);
  const packet = new Uint8Array(DATA_REQUEST_OVERHEAD + body.length);
  encodeOnionDataRequest(packet, { destination: addressee, nonce, temporaryKey: temporary.publicKey, box });
  return packet;
}

/** Opens a packet 0x86: first with the data key, then with the long-term keys, which prove who sent it. */
export function openData(
  crypto: Crypto,
  dataKeys: KeyPair,
  selfShared: SharedKeyCache,
  budget: KeyBudget,
  bytes: Uint8Array,
  drop: Drop,
): OpenedData | undefined {
  const response = decodeOnionDataResponse(bytes, drop);
  if (response === undefined) return undefined;
  const outerKey = budget.spend(() => crypto.sharedKey(response.temporaryKey, dataKeys.secretKey) ?? "weak-key");
  if (typeof outerKey === "string") return drop(outerKey);
  const plain = crypto.open(response.box, response.nonce, outerKey);
  if (plain === undefined) return drop("forged");
  const body = decodeOnionDataBody(plain, drop);
  if (body === undefined) return undefined;
  const payload = selfShared.openFromStranger(body.sender, body.box, response.nonce, budget);
  if (typeof payload === "string") return drop(payload);
  return { sender: body.sender.slice() as Uint8Array as PublicKey, payload };
}
