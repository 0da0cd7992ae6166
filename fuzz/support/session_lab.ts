import type { KeyPair, PublicKey } from "../../src/crypto/keys.ts";
import { SharedKeyCache } from "../../src/crypto/shared_key_cache.ts";
import type { Endpoint } from "../../src/env/datagram.ts";
import { NetCrypto } from "../../src/net_crypto/net_crypto.ts";
import type { SessionKeys } from "../../src/net_crypto/ports.ts";
import { SeededRandom } from "../../src/testing/seeded_random.ts";
import { sameBytes } from "../../src/util/bytes.ts";
import { endpointKey } from "../../src/util/endpoint.ts";
import { PacketId } from "../../src/wire/packet_ids.ts";
import { Forge } from "../../test/support/forge.ts";
import { HostileFriend } from "../../test/support/hostile_friend.ts";
import { expectThat } from "./broken.ts";
import { Census } from "./census.ts";
import { fuzzCrypto } from "./memoised_crypto.ts";
import { Side, type Sides } from "./session_side.ts";
import { at, type Datagram, Machine, Wire } from "./wire.ts";

const KEPT = 128;

const census = new Census({
  "#sessions.#entries": 2,
  "#bound": 2 * 8,
  "#limiter.#networks": 1024,
  "#limiter.#friends.#entries": 1024,
  "#sessions.#entries.[].value.#paths.#paths": 8,
  "#sessions.#entries.[].value.#receiver.#window.#slots": 32768,
  "#sessions.#entries.[].value.#sender.#control.#items": 2 * (32768 + 16),
  "#sessions.#entries.[].value.#sender.#messages.#items": 2 * 32768,
  "#sessions.#entries.[].value.#sender.#window.#packets.#slots": 32768,
  "#sessions.#entries.[].value.#sender.#window.#lost.#items": 2 * 32768,
});

/** An instance of net_crypto and the person behind it. */
export class Peer {
  readonly machine: Machine;
  readonly self: KeyPair;
  keys: SessionKeys;
  netCrypto: NetCrypto;
  readonly #lab: SessionLab;

  constructor(lab: SessionLab, name: string, endpoint: Endpoint) {
    this.#lab = lab;
    this.machine = new Machine(lab.wire, name, [endpoint]);
    this.self = this.machine.crypto.keyPair();
    this.keys = this.#newKeys();
    this.netCrypto = this.#begin();
  }

  get endpoint(): Endpoint {
    return this.machine.sockets[0]?.local ?? (this.machine.endpoints[0] as Endpoint);
  }

  /** The process ends without a good-bye, and another begins with the same long-term keys. */
  restart(): void {
    const { wire } = this.#lab;
    const { fate } = wire;
    wire.fate = () => [];
    this.netCrypto.close();
    wire.fate = fate;
    this.keys = this.#newKeys();
    this.netCrypto = this.#begin();
  }

  #newKeys(): SessionKeys {
    const { crypto } = this.machine;
    const dht = crypto.keyPair();
    const selfShared = new SharedKeyCache(crypto, this.self.secretKey);
    return { self: this.self, selfShared, dht, dhtShared: new SharedKeyCache(crypto, dht.secretKey) };
  }

  #begin(): NetCrypto {
    const { network, clock, crypto, metrics, logger } = this.machine;
    const netCrypto = new NetCrypto({ network, keys: this.keys, clock, crypto, metrics, logger });
    netCrypto.onIncoming = (peer) => this.#lab.incoming(peer);
    netCrypto.isWelcome = (peer) => this.#lab.isFriend(peer);
    return netCrypto;
  }
}

/** Somebody with two friends, of whom one keeps the rules and the other does what a program says, and strangers. */
export class SessionLab {
  readonly wire = new Wire();
  readonly sides: Sides = new Map();
  readonly victim = new Peer(this, "victim", at("198.51.100.1"));
  readonly honest = new Peer(this, "honest", at("203.0.113.1"));
  readonly hostile: HostileFriend;
  readonly forge: Forge;
  /** What was on its way to the victim lately, for replays. */
  readonly seen: Datagram[] = [];
  /** Of a thousand datagrams, how many are lost, doubled and late. */
  readonly link = { loss: 0, duplication: 0, lateness: 0, delay: 5 };
  readonly #chance = new SeededRandom("link");
  readonly #strangers = new Map<string, { received: number; sent: number }>();

  constructor() {
    const { wire, victim } = this;
    const socket = wire.socket(at("203.0.114.1"));
    const means = {
      crypto: fuzzCrypto("hostile"),
      clock: this.honest.machine.clock,
      victim: {
        endpoint: victim.endpoint,
        publicKey: victim.self.publicKey,
        dhtPublicKey: victim.keys.dht.publicKey,
      },
    };
    this.hostile = new HostileFriend(means, socket);
    this.forge = new Forge(fuzzCrypto("stranger"), { dht: victim.keys.dht.publicKey, self: victim.self.publicKey });
    wire.onSent = (sent) => this.#note(sent);
    wire.fate = () => this.#fate();
  }

  isFriend(key: PublicKey): boolean {
    return [this.victim, this.honest, this.hostile].some(({ self }) => sameBytes(self.publicKey, key));
  }

  incoming(peer: PublicKey): Side {
    expectThat(this.isFriend(peer), "a stranger begins a session");
    return new Side(this.sides, !sameBytes(peer, this.hostile.self.publicKey));
  }

  /** One of the two who keep the rules begins a session with the other, or says where he is now. */
  connect(from: Peer, to: Peer, endpoint = to.endpoint): void {
    const known = from.netCrypto.session(to.self.publicKey);
    const isKnown = known !== undefined && sameBytes(known.dhtPublicKey, to.keys.dht.publicKey);
    const side = isKnown ? undefined : new Side(this.sides, true);
    const listener = side ?? new Side(new Map(), true);
    const session = from.netCrypto.connect(to.self.publicKey, to.keys.dht.publicKey, listener);
    if (side !== undefined) side.session = session;
    session.addEndpoint(endpoint);
  }

  /** The side of the session that one has with the other now. */
  sideOf(from: Peer, to: Peer): Side | undefined {
    const session = from.netCrypto.session(to.self.publicKey);
    return [...this.sides.values()].findLast((side) => side.session === session && session !== undefined);
  }

  /** The victim's side of the session with the hostile friend. */
  get sideWithHostile(): Side | undefined {
    const session = this.victim.netCrypto.session(this.hostile.self.publicKey);
    return [...this.sides.values()].findLast((side) => side.session === session && session !== undefined);
  }

  /** A datagram out of the blue. `isStrangers`: it is nobody's but the sender's, who is not to have more bytes than he brings. */
  inject(bytes: Uint8Array, from: Endpoint, isStrangers: boolean): void {
    const to = this.victim.endpoint;
    if (isStrangers) {
      const account = this.#strangers.get(endpointKey(from)) ?? { received: 0, sent: 0 };
      account.received += bytes.length;
      this.#strangers.set(endpointKey(from), account);
    }
    this.wire.inject({ bytes, from, to });
  }

  /** Everybody keeps the rules from now on, and what was before must not matter. */
  close(isThorough: boolean): void {
    const { victim, honest } = this;
    if (isThorough) census.check(victim.netCrypto);
    this.#checkStrangers();
    Object.assign(this.link, { loss: 0, duplication: 0, lateness: 0, delay: 5 });
    this.hostile.close();
    this.#checkTheyTalk();
    for (const { machine } of [victim, honest]) machine.checkSound();
    victim.netCrypto.close();
    honest.netCrypto.close();
    victim.machine.checkGone();
    honest.machine.checkGone();
  }

  #checkTheyTalk(): void {
    for (let attempt = 0; attempt < 3; attempt++) {
      this.connect(this.victim, this.honest);
      this.connect(this.honest, this.victim);
      this.wire.pass(12_000);
      if (this.#talk()) return;
      for (const peer of [this.victim, this.honest]) {
        for (const other of [this.victim, this.honest]) peer.netCrypto.session(other.self.publicKey)?.kill("timeout");
      }
      this.wire.pass(1000);
    }
    expectThat(false, "two who keep the rules cannot talk any more");
  }

  #talk(): boolean {
    const sides = [this.sideOf(this.victim, this.honest), this.sideOf(this.honest, this.victim)];
    const said = sides.map((side) => side?.say(40) ?? false);
    this.wire.pass(20_000);
    return sides.every((side, i) => said[i] && side !== undefined && side.acknowledged === side.said);
  }

  #checkStrangers(): void {
    for (const [name, { received, sent }] of this.#strangers) {
      // a cookie response is 16 bytes longer than its request
      const bound = received * (161 / 145);
      expectThat(sent <= bound, () => `${sent} bytes went to ${name}, whence ${received} came`);
    }
  }

  #note(sent: Datagram): void {
    const { from, to, bytes } = sent;
    if (from === this.victim.endpoint) {
      const account = this.#strangers.get(endpointKey(to));
      if (account !== undefined) account.sent += bytes.length;
    } else if (to === this.victim.endpoint) {
      this.seen.push({ from, to, bytes: bytes.slice() });
      if (this.seen.length > KEPT) this.seen.shift();
    }
  }

  #fate(): readonly number[] {
    const { loss, duplication, lateness, delay } = this.link;
    const happens = (share: number) => this.#chance.chance(share / 1000);
    if (happens(loss)) return [];
    const arrival = delay + (happens(lateness) ? this.#chance.between(1, 200) : 0);
    return happens(duplication) ? [arrival, arrival + this.#chance.between(1, 50)] : [arrival];
  }
}

export const SESSION_PACKETS = [
  PacketId.CookieRequest,
  PacketId.CookieResponse,
  PacketId.CryptoHandshake,
  PacketId.CryptoData,
];
