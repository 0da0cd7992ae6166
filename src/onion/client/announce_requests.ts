import type { Crypto } from "../../crypto/crypto.ts";
import type { KeyPair, PublicKey } from "../../crypto/keys.ts";
import type { Clock } from "../../env/clock.ts";
import type { Metrics } from "../../env/metrics.ts";
import { dropCounter } from "../../network/drop_counter.ts";
import { isLanAddress, sameEndpoint } from "../../util/endpoint.ts";
import type { Drop } from "../../wire/drop.ts";
import {
  ANNOUNCE_REQUEST_BODY_SIZE,
  ANNOUNCE_REQUEST_SIZE,
  encodeAnnounceRequest,
  encodeAnnounceRequestBody,
} from "../../wire/onion/announce_request.ts";
import {
  type AnnounceResponseBody,
  decodeAnnounceResponse,
  decodeAnnounceResponseBody,
} from "../../wire/onion/announce_response.ts";
import { PING_ID_SIZE } from "../../wire/onion/sizes.ts";
import type { PackedNode } from "../../wire/packed_node.ts";
import { buildOnionRequest } from "../path_packet.ts";
import type { AnnounceTarget } from "./announce_targets.ts";
import { type FirstHop, sameFirstHop } from "./first_hop.ts";
import { NetworkHealth } from "./network_health.ts";
import type { OnionPath } from "./onion_path.ts";
import type { PathSet } from "./path_set.ts";
import { MAX_PENDING_REQUESTS, PendingRequests } from "./pending_requests.ts";
import type { Ways } from "./ways.ts";

/** Who asks: the announcer of ourselves, or the search for one friend. */
export interface AnnounceOwner {
  /** Under which it asks: the long-term keys to announce, temporary ones to search. */
  readonly keyPair: KeyPair;
  readonly paths: PathSet;
  readonly searchedKey: PublicKey;
  /** Zeros to search. */
  readonly dataPublicKey: PublicKey;
  /** Bytes of `body` are valid only within the call; `nodes` are those of its nodes that can be asked. */
  answered(request: AnnounceAttempt, body: AnnounceResponseBody, nodes: readonly PackedNode[], now: number): void;
}

/** A request under way. */
export interface AnnounceAttempt {
  readonly owner: AnnounceOwner;
  readonly target: AnnounceTarget;
  readonly path: OnionPath;
  /** Whether it carried a ping_id that should announce us. */
  readonly announcing: boolean;
}

export interface AnnounceRequestsOptions {
  readonly ways: Ways;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly metrics: Metrics;
  /** Called after each answer that is genuine. */
  readonly onAnswer: (now: number) => void;
  /** Called for each node that an unanswered request went over, or to. */
  readonly onDoubt: (publicKey: PublicKey) => void;
  /** Called when answers come in again after a time in which most stayed out. */
  readonly onRecovered: () => void;
}

/** What searchers send, since any other would announce them (protocol trap 8). */
const NO_PING_ID = new Uint8Array(PING_ID_SIZE);
const NOTHING = new Uint8Array(0);
const SHORTEST_PATIENCE = 250;
const LONGEST_PATIENCE = 3_000;
/** Leaves room for what announces ourselves. */
const BUSY = MAX_PENDING_REQUESTS - 56;

/** Sends announce requests (0x83) through paths and brings the answers (0x84) to who asked. */
export class AnnounceRequests {
  readonly #ways: Ways;
  readonly #clock: Clock;
  readonly #crypto: Crypto;
  readonly #metrics: Metrics;
  readonly #onAnswer: (now: number) => void;
  readonly #onDoubt: (publicKey: PublicKey) => void;
  readonly #health: NetworkHealth;
  readonly #drop: Drop;
  readonly #pending: PendingRequests<AnnounceAttempt>;
  #roundTrip = LONGEST_PATIENCE / 8;

  constructor(options: AnnounceRequestsOptions) {
    this.#ways = options.ways;
    this.#clock = options.clock;
    this.#crypto = options.crypto;
    this.#metrics = options.metrics;
    this.#onAnswer = options.onAnswer;
    this.#onDoubt = options.onDoubt;
    this.#health = new NetworkHealth(options.onRecovered);
    this.#drop = dropCounter(options.metrics, "announceResponse");
    this.#pending = new PendingRequests(options.crypto.random);
  }

  /** How many ms to wait for an answer before asking again: three times what answers take. */
  get patience(): number {
    return Math.min(LONGEST_PATIENCE, Math.max(SHORTEST_PATIENCE, 3 * this.#roundTrip));
  }

  /** Whether so much is under way that searches had better wait. */
  get busy(): boolean {
    return this.#pending.sizeAt(this.#clock.monotonic()) >= BUSY;
  }

  /**
   * Asks `target` over `path`, with the ping_id it gave us over that exit when `announce` is true. False when its key is
   * of no use.
   */
  send(owner: AnnounceOwner, target: AnnounceTarget, path: OnionPath, announce: boolean): boolean {
    const now = this.#clock.monotonic();
    target.sharedKey ??= this.#crypto.sharedKey(target.node.publicKey, owner.keyPair.secretKey);
    if (target.sharedKey === undefined) return false;
    if (target.unanswered > 0) this.#missed(target);
    const pingId = announce && target.path && sameEndpoint(target.path.exit, path.exit) ? target.pingId : undefined;
    const attempt = { owner, target, path, announcing: pingId !== undefined };
    const body = {
      pingId: pingId ?? NO_PING_ID,
      searchedKey: owner.searchedKey,
      dataPublicKey: owner.dataPublicKey,
      sendbackData: this.#pending.add(attempt, now),
      groupAnnounce: NOTHING,
    };
    const plain = new Uint8Array(ANNOUNCE_REQUEST_BODY_SIZE);
    encodeAnnounceRequestBody(plain, body);
    const nonce = this.#crypto.nonce();
    const box = this.#crypto.seal(plain, nonce, target.sharedKey);
    const request = new Uint8Array(ANNOUNCE_REQUEST_SIZE);
    encodeAnnounceRequest(request, { group: false, nonce, publicKey: owner.keyPair.publicKey, box });
    path.used(now);
    target.askedAt = now;
    target.askedOver = path;
    target.unanswered++;
    const packet = buildOnionRequest(this.#crypto, path.keys, target.node.endpoint, request);
    this.#ways.send(path.keys, packet);
    this.#metrics.count("onion.announceRequest.sent");
    return true;
  }

  #missed(target: AnnounceTarget): void {
    this.#health.missed();
    for (const hop of target.askedOver?.keys.nodes ?? []) this.#onDoubt(hop.nodePublicKey);
    this.#onDoubt(target.node.publicKey);
  }

  close(): void {
    this.#pending.clear();
  }

  /** Takes an announce response that came from there. */
  handle(bytes: Uint8Array, from: FirstHop): void {
    const response = decodeAnnounceResponse(bytes, this.#drop);
    if (response === undefined) return;
    const now = this.#clock.monotonic();
    const found = this.#pending.find(response.sendbackData, now);
    const attempt = found?.value;
    const sharedKey = attempt?.target.sharedKey;
    if (found === undefined || attempt === undefined || sharedKey === undefined) {
      this.#drop("unsolicited");
      return;
    }
    // An announce node that guessed our address could find out by sending there: answers come the way that the path goes.
    if (!sameFirstHop(from, attempt.path.firstHop)) {
      this.#drop("wrong-address");
      return;
    }
    const plain = this.#crypto.open(response.box, response.nonce, sharedKey);
    if (plain === undefined) {
      this.#drop("forged");
      return;
    }
    const body = decodeAnnounceResponseBody(plain, false, this.#drop);
    if (body === undefined) return;
    this.#pending.remove(response.sendbackData);
    this.#metrics.count("onion.announceResponse.received");
    this.#roundTrip += (now - found.sentAt - this.#roundTrip) / 8;
    attempt.owner.paths.answered(attempt.path, now);
    this.#ways.answered(attempt.target.node);
    const lan = attempt.path.beginsInLan;
    const nodes = body.nodes.filter((node) => lan || !isLanAddress(node.endpoint.address));
    attempt.owner.answered(attempt, body, nodes, now);
    this.#onAnswer(now);
    this.#health.answered(now);
  }
}
