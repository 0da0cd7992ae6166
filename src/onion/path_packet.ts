import type { Crypto } from "../crypto/crypto.ts";
import { type Nonce, PUBLIC_KEY_SIZE, type PublicKey, type SharedKey } from "../crypto/keys.ts";
import type { Endpoint } from "../env/datagram.ts";
import { ToxError } from "../util/tox_error.ts";
import { ONION_IP_PORT_SIZE } from "../wire/ip_port.ts";
import { encodeOnionRequest, encodeOnionRequestLayer } from "../wire/onion/onion_request.ts";
import { MAX_ONION_REQUEST_DATA_SIZE } from "../wire/onion/sizes.ts";
import type { OnionDht, RelayHop } from "./ports.ts";

/** One hop of a path, as the client sees it. */
export interface OnionPathNode {
  /** Our half of the shared key: the DHT key at the first hop, whose address sees us anyway; a fresh one at the others. */
  readonly publicKey: PublicKey;
  readonly sharedKey: SharedKey;
  readonly endpoint: Endpoint;
  /** The hop's own DHT key. */
  readonly nodePublicKey: PublicKey;
}

export interface OnionPathKeys {
  /** The first hop is this TCP relay: what is for it goes inside the connection to it, without a layer of its own. */
  readonly relay?: PublicKey;
  /** The nearest hop first. */
  readonly nodes: readonly [OnionPathNode, OnionPathNode, OnionPathNode];
}

/** A hop to be: any DHT node. */
export interface OnionPathCandidate {
  readonly publicKey: PublicKey;
  readonly endpoint: Endpoint;
}

/** Stands for the address of a relay, where none is needed and none may be known. */
const NOWHERE: Endpoint = { family: 4, address: new Uint8Array(4), port: 0 };
const NO_SENDBACK = new Uint8Array(0);

/** Makes keys for a path over three nodes, which may repeat. Undefined when one has a key of small order. */
export function makeOnionPath(
  crypto: Crypto,
  dht: Pick<OnionDht, "keyPair" | "sharedKeys">,
  candidates: readonly [OnionPathCandidate, OnionPathCandidate, OnionPathCandidate],
): OnionPathKeys | undefined {
  const [first, second, third] = candidates;
  const sharedKey = dht.sharedKeys.get(first.publicKey);
  const one = sharedKey && hop(first, dht.keyPair.publicKey, sharedKey.slice() as Uint8Array as SharedKey); // the cache wipes its own
  const two = freshHop(crypto, second);
  const three = freshHop(crypto, third);
  return one && two && three && { nodes: [one, two, three] };
}

/** The same for a path that begins at a TCP relay. */
export function makeRelayedOnionPath(
  crypto: Crypto,
  dht: Pick<OnionDht, "keyPair">,
  relay: RelayHop,
  [second, third]: readonly [OnionPathCandidate, OnionPathCandidate],
): OnionPathKeys | undefined {
  const endpoint = relay.endpoint ?? NOWHERE;
  const unused = new Uint8Array(32) as Uint8Array as SharedKey;
  const one = hop({ publicKey: relay.publicKey, endpoint }, dht.keyPair.publicKey, unused);
  const two = freshHop(crypto, second);
  const three = freshHop(crypto, third);
  return two && three && { relay: relay.publicKey, nodes: [one, two, three] };
}

/**
 * The packet 0x80 for the first hop that makes the third one deliver `payload` to `destination`; for a
 * relay, what stands behind the id of its onion request: nonce 24 ‖ address of the second hop ‖ our key for it ‖ the box. Throws
 * `invalid-argument` for a payload that is empty or longer than 1174 bytes.
 */
export function buildOnionRequest(
  crypto: Crypto,
  path: OnionPathKeys,
  destination: Endpoint,
  payload: Uint8Array,
): Uint8Array {
  if (payload.length === 0 || payload.length > MAX_ONION_REQUEST_DATA_SIZE) {
    throw new ToxError("invalid-argument", `An onion path carries 1 to ${MAX_ONION_REQUEST_DATA_SIZE} bytes.`);
  }
  const [first, second, third] = path.nodes;
  const nonce = crypto.nonce();
  const forThird = keyAndBox(crypto, third, nonce, destination, payload);
  const forSecond = keyAndBox(crypto, second, nonce, third.endpoint, forThird);
  if (path.relay !== undefined) return relayedRequest(nonce, second.endpoint, forSecond);
  const box = sealLayer(crypto, first.sharedKey, nonce, second.endpoint, forSecond);
  const packet = new Uint8Array(1 + nonce.length + PUBLIC_KEY_SIZE + box.length);
  encodeOnionRequest(packet, { layer: 0, nonce, publicKey: first.publicKey, box, sendback: NO_SENDBACK });
  return packet;
}

function relayedRequest(nonce: Nonce, next: Endpoint, data: Uint8Array): Uint8Array {
  const packet = new Uint8Array(nonce.length + ONION_IP_PORT_SIZE + data.length);
  packet.set(nonce);
  encodeOnionRequestLayer(packet.subarray(nonce.length), { next, data });
  return packet;
}

/** What the hop before passes on: our key for this hop ‖ the box for it. */
function keyAndBox(crypto: Crypto, node: OnionPathNode, nonce: Nonce, next: Endpoint, data: Uint8Array): Uint8Array {
  const box = sealLayer(crypto, node.sharedKey, nonce, next, data);
  const bytes = new Uint8Array(PUBLIC_KEY_SIZE + box.length);
  bytes.set(node.publicKey);
  bytes.set(box, PUBLIC_KEY_SIZE);
  return bytes;
}

function sealLayer(crypto: Crypto, key: SharedKey, nonce: Nonce, next: Endpoint, data: Uint8Array): Uint8Array {
  const plain = new Uint8Array(ONION_IP_PORT_SIZE + data.length);
  encodeOnionRequestLayer(plain, { next, data });
  return crypto.seal(plain, nonce, key);
}

function freshHop(crypto: Crypto, node: OnionPathCandidate): OnionPathNode | undefined {
  const { publicKey, secretKey } = crypto.keyPair();
  const sharedKey = crypto.sharedKey(node.publicKey, secretKey);
  crypto.wipe(secretKey);
  return sharedKey && hop(node, publicKey, sharedKey);
}

function hop(node: OnionPathCandidate, publicKey: PublicKey, sharedKey: SharedKey): OnionPathNode {
  return { publicKey, sharedKey, endpoint: node.endpoint, nodePublicKey: node.publicKey };
}
