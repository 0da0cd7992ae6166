import type { Crypto } from "../../crypto/crypto.ts";
import { NONCE_SIZE, type SharedKey } from "../../crypto/keys.ts";
import type { Clock } from "../../env/clock.ts";
import type { Endpoint } from "../../env/datagram.ts";
import { readU32, writeU32 } from "../../util/bytes.ts";
import type { Drop } from "../../wire/drop.ts";
import { ONION_IP_PORT_SIZE } from "../../wire/ip_port.ts";
import {
  decodeSealedSendback,
  decodeSendback,
  encodeSendback,
  type Sendback,
} from "../../wire/onion/onion_response.ts";
import { sendbackSize } from "../../wire/onion/sizes.ts";

/** Renewed every 2 h, so that the paths of strangers over us come to an end. toxcore's KEY_REFRESH_INTERVAL. */
const KEY_LIFE = 2 * 60 * 60 * 1000;
/**
 * How long the key before still opens: twice as long as an announce node keeps a way back (300 s). toxcore forgets it at
 * once and with it every answer under way.
 */
const OLD_KEY_LIFE = 600 * 1000;

const NO_REST = new Uint8Array(0);

/** A client's number in the place of an address, as toxcore has it in its own sendbacks. */
function addressOfClient(client: number): Endpoint {
  const address = new Uint8Array(16);
  writeU32(address, 8, Math.floor(client / 0x1_0000_0000));
  writeU32(address, 12, client);
  return { family: 6, address, port: 1 };
}

/** The number that `sealForClient` was given. */
export function clientOf({ address }: Endpoint): number {
  return readU32(address, 8) * 0x1_0000_0000 + readU32(address, 12);
}

/**
 * Gives the address that a request came from away with the request, sealed under a key of our own: a relay remembers
 * nothing about those it serves, and needs no table that they could fill.
 */
export class SendbackBox {
  readonly #crypto: Crypto;
  readonly #clock: Clock;
  readonly #plain = new Uint8Array(ONION_IP_PORT_SIZE + sendbackSize(2));
  #key: SharedKey;
  #keySince: number;
  #oldKey: SharedKey | undefined;

  constructor(crypto: Crypto, clock: Clock) {
    this.#crypto = crypto;
    this.#clock = clock;
    this.#key = crypto.symmetricKey();
    this.#keySince = clock.monotonic();
  }

  /** The sendback for a request that came from `from` with the sendback `rest`. */
  seal(from: Endpoint, rest: Uint8Array): Uint8Array {
    return this.#seal({ from, transport: "udp", rest });
  }

  /** The sendback for a request of a client of our TCP relay, who has a number there. */
  sealForClient(client: number): Uint8Array {
    return this.#seal({ from: addressOfClient(client), transport: "tcp", rest: NO_REST });
  }

  #seal(sendback: Sendback): Uint8Array {
    this.#renewKeys();
    const length = encodeSendback(this.#plain, sendback);
    const sealed = new Uint8Array(sendbackSize(1) + sendback.rest.length);
    const nonce = sealed.subarray(0, NONCE_SIZE);
    this.#crypto.random.fill(nonce);
    this.#crypto.sealInto(sealed, NONCE_SIZE, this.#plain.subarray(0, length), nonce, this.#key);
    return sealed;
  }

  /** Nothing for what we did not seal, or sealed too long ago. */
  open(sealed: Uint8Array, drop: Drop): Sendback | undefined {
    this.#renewKeys();
    const parts = decodeSealedSendback(sealed, drop);
    if (parts === undefined) return undefined;
    const plain =
      this.#crypto.open(parts.box, parts.nonce, this.#key) ??
      (this.#oldKey && this.#crypto.open(parts.box, parts.nonce, this.#oldKey));
    return plain === undefined ? drop("forged") : decodeSendback(plain, drop);
  }

  /** Wipes the keys. */
  close(): void {
    this.#crypto.wipe(this.#key);
    this.#forgetOldKey();
  }

  /** Done when a packet comes, as no timer need wake an idle node for it. */
  #renewKeys(): void {
    const now = this.#clock.monotonic();
    const age = now - this.#keySince;
    if (age >= KEY_LIFE) {
      this.#forgetOldKey();
      this.#oldKey = this.#key;
      this.#key = this.#crypto.symmetricKey();
      this.#keySince = now;
      if (age >= KEY_LIFE + OLD_KEY_LIFE) this.#forgetOldKey();
    } else if (age >= OLD_KEY_LIFE) {
      this.#forgetOldKey();
    }
  }

  #forgetOldKey(): void {
    if (this.#oldKey !== undefined) this.#crypto.wipe(this.#oldKey);
    this.#oldKey = undefined;
  }
}
