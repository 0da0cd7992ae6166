import type { Crypto } from "../crypto/crypto.ts";
import type { Nonce, PublicKey, SharedKey } from "../crypto/keys.ts";
import { addToNonce, incrementNonce, nonceTail } from "../crypto/nonce.ts";
import { sameBytes } from "../util/bytes.ts";
import {
  CRYPTO_DATA_BOX_AT,
  cryptoDataNonceTail,
  cryptoDataPacketSize,
  cryptoDataPlainSize,
  encodeCryptoDataHeader,
} from "../wire/net_crypto/crypto_data.ts";
import { NONCE_STEP } from "./limits.ts";
import { ReplayWindow } from "./replay_window.ts";

export type OpenFailure = "forged" | "replayed";

/**
 * The encryption of one session. Each side encrypts with the nonces that count up from the base nonce in its own
 * handshake; a packet carries their last 16 bits. c-toxcore `net_crypto.c` (send_data_packet, handle_data_packet).
 */
export class DataChannel {
  readonly #crypto: Crypto;
  readonly #key: SharedKey;
  /** The next packet's nonce. Shared with the session, for no two packets may have the same. */
  readonly #sendNonce: Nonce;
  readonly #peerSessionKey: PublicKey;
  readonly #firstReceiveNonce: Nonce;
  readonly #receiveBase: Nonce;
  /** How far the base has moved since the handshake. */
  #receiveBaseCount = 0;
  readonly #nonce = new Uint8Array(24) as Uint8Array as Nonce;
  #seen: ReplayWindow | undefined;

  constructor(crypto: Crypto, key: SharedKey, sendNonce: Nonce, peerSessionKey: PublicKey, peerBaseNonce: Nonce) {
    this.#crypto = crypto;
    this.#key = key;
    this.#sendNonce = sendNonce;
    this.#peerSessionKey = peerSessionKey;
    this.#firstReceiveNonce = peerBaseNonce;
    this.#receiveBase = peerBaseNonce.slice() as Uint8Array as Nonce;
  }

  /** Whether a handshake with these would make this very channel: it is one sent again. */
  isOf(peerSessionKey: PublicKey, peerBaseNonce: Nonce): boolean {
    return sameBytes(peerSessionKey, this.#peerSessionKey) && sameBytes(peerBaseNonce, this.#firstReceiveNonce);
  }

  /** Whether the peer's session is the same, wherever its nonces have got to. */
  isWith(peerSessionKey: PublicKey): boolean {
    return sameBytes(peerSessionKey, this.#peerSessionKey);
  }

  /** Writes the data packet around a plain into `into`, and answers its length. */
  seal(into: Uint8Array, plain: Uint8Array): number {
    const size = cryptoDataPacketSize(plain.length);
    encodeCryptoDataHeader(into, nonceTail(this.#sendNonce));
    this.#crypto.provider.seal(into.subarray(CRYPTO_DATA_BOX_AT, size), plain, this.#sendNonce, this.#key);
    incrementNonce(this.#sendNonce);
    return size;
  }

  /** Opens a data packet (whose length has been checked) into `into`, and answers the plain's length, or why it could not. */
  open(packet: Uint8Array, into: Uint8Array): number | OpenFailure {
    const ahead = (cryptoDataNonceTail(packet) - nonceTail(this.#receiveBase)) & 0xffff;
    const counter = this.#receiveBaseCount + ahead;
    if (this.#seen !== undefined && !this.#seen.isNew(counter)) return "replayed";
    this.#nonce.set(this.#receiveBase);
    addToNonce(this.#nonce, ahead);
    const size = cryptoDataPlainSize(packet.length);
    const box = packet.subarray(CRYPTO_DATA_BOX_AT);
    if (!this.#crypto.provider.open(into.subarray(0, size), box, this.#nonce, this.#key)) return "forged";
    this.#seen ??= new ReplayWindow();
    this.#seen.add(counter);
    if (ahead > 2 * NONCE_STEP) {
      addToNonce(this.#receiveBase, NONCE_STEP);
      this.#receiveBaseCount += NONCE_STEP;
    }
    return size;
  }

  wipe(): void {
    this.#crypto.wipe(this.#key);
    this.#crypto.wipe(this.#receiveBase);
    this.#crypto.wipe(this.#firstReceiveNonce);
    this.#crypto.wipe(this.#nonce);
  }
}
