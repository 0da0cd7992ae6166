import type { PublicKey } from "../../src/crypto/keys.ts";
import type { Endpoint } from "../../src/env/datagram.ts";
import type { Friend } from "../../src/friend/friend.ts";
import { Tox } from "../../src/tox.ts";
import { fromHex, toHex } from "../../src/util/bytes.ts";
import { endpointKey } from "../../src/util/endpoint.ts";
import { Forge } from "../../test/support/forge.ts";
import { HostileFriend } from "../../test/support/hostile_friend.ts";
import { expectThat } from "./broken.ts";
import { fuzzCrypto } from "./memoised_crypto.ts";
import { at, type Datagram, Host, Wire } from "./wire.ts";

const KEPT = 256;
/** A nodes response of four nodes and a ping, for a nodes request. */
const STRANGERS_RATIO = (286 + 82) / 113;

/** A whole instance and what its app sees. */
export class Person {
  readonly host: Host;
  readonly tox: Tox;
  /** The numbers of the other's messages, as they were shown. */
  readonly shown: number[] = [];
  said = 0;

  private constructor(host: Host, tox: Tox) {
    this.host = host;
    this.tox = tox;
  }

  static async create(wire: Wire, name: string, endpoint: Endpoint, node?: Person): Promise<Person> {
    const host = new Host(wire, name, [endpoint]);
    const { clock, logger, metrics, crypto } = host;
    const resolver = { resolve: async () => [at("203.0.113.9").address] };
    const env = { clock, logger, metrics, resolver, datagrams: host, random: crypto.random, crypto: crypto.provider };
    const bootstrap = node && [{ host: "node", port: node.tox.udpPort, publicKey: node.tox.dhtPublicKey }];
    return new Person(host, await Tox.create(env, { ipv6: false, name, ...(bootstrap && { bootstrap }) }));
  }

  friend(other: { readonly tox: Tox }): Friend | undefined {
    return this.tox.friend(other.tox.publicKey);
  }

  say(to: Person): void {
    this.friend(to)?.send(String(this.said++));
  }

  hear(text: string): void {
    expectThat(text === String(this.shown.length), () => `"${text}" is shown in place of ${this.shown.length}`);
    this.shown.push(this.shown.length);
  }
}

/** Alice and Bob, who are friends and talk, in a network with Carol; Mallory, whom Alice has added; and strangers. */
export class InstanceLab {
  readonly wire: Wire;
  readonly alice: Person;
  readonly bob: Person;
  readonly carol: Person;
  readonly mallory: HostileFriend;
  readonly forge: Forge;
  /** What was on its way to Alice lately. */
  readonly seen: Datagram[] = [];
  readonly #strangers = new Map<string, { received: number; sent: number }>();

  static async start(): Promise<InstanceLab> {
    const wire = new Wire();
    const carol = await Person.create(wire, "carol", at("203.0.113.9"));
    const alice = await Person.create(wire, "alice", at("198.51.100.1"), carol);
    const bob = await Person.create(wire, "bob", at("203.0.113.1"), carol);
    const lab = new InstanceLab(wire, alice, bob, carol);
    await lab.#befriend();
    return lab;
  }

  private constructor(wire: Wire, alice: Person, bob: Person, carol: Person) {
    this.wire = wire;
    this.alice = alice;
    this.bob = bob;
    this.carol = carol;
    const [self, dht] = [keyOf(alice.tox.publicKey), keyOf(alice.tox.dhtPublicKey)];
    const victim = { endpoint: at("198.51.100.1"), publicKey: self, dhtPublicKey: dht };
    const means = { crypto: fuzzCrypto("mallory"), clock: carol.host.clock, victim };
    this.mallory = new HostileFriend(means, wire.socket(at("203.0.114.1")));
    this.forge = new Forge(fuzzCrypto("strangers"), { dht, self });
    wire.onSent = (sent) => this.#note(sent);
  }

  get malloryAsFriend(): Friend | undefined {
    return this.alice.tox.friend(toHex(this.mallory.self.publicKey));
  }

  async pass(ms: number): Promise<void> {
    this.wire.pass(ms);
    await undefined;
  }

  /** `isStrangers`: nothing but what strangers send comes from there, and they are to get little more than they bring. */
  inject(bytes: Uint8Array, from: Endpoint, isStrangers: boolean): void {
    const known = this.#strangers.get(endpointKey(from));
    if (isStrangers || known !== undefined) {
      const account = known ?? { received: 0, sent: 0 };
      account.received += bytes.length;
      this.#strangers.set(endpointKey(from), account);
    }
    this.alice.host.receive(bytes, from);
  }

  async close(): Promise<void> {
    for (const [name, { received, sent }] of this.#strangers) {
      const bound = received * STRANGERS_RATIO + 82;
      expectThat(sent <= bound, () => `${sent} bytes went to ${name}, whence ${received} came`);
    }
    this.mallory.close();
    const { alice, bob, carol } = this;
    alice.say(bob);
    bob.say(alice);
    await this.pass(30_000);
    expectThat(alice.shown.length === bob.said, () => `${alice.shown.length} of Bob's ${bob.said} messages were shown`);
    expectThat(
      bob.shown.length === alice.said,
      () => `${bob.shown.length} of Alice's ${alice.said} messages were shown`,
    );
    for (const { host, tox } of [alice, bob, carol]) {
      await tox.close();
      host.checkGone();
    }
  }

  async #befriend(): Promise<void> {
    const { alice, bob, mallory } = this;
    const aliceSees = await alice.tox.addFriendWithoutRequest(bob.tox.publicKey);
    const bobSees = await bob.tox.addFriendWithoutRequest(alice.tox.publicKey);
    await alice.tox.addFriendWithoutRequest(toHex(mallory.self.publicKey));
    const areTogether = () => aliceSees.connection !== "none" && bobSees.connection !== "none";
    for (let i = 0; i < 200 && !areTogether(); i++) await this.pass(20);
    expectThat(areTogether(), "two friends do not find each other");
    alice.tox.on("friendRequest", () => expectThat(false, "a friend request that nobody sent"));
    alice.tox.on("friendConnection", ({ friend }) => {
      expectThat(friend !== aliceSees, "the session of two who keep the rules ends");
    });
    alice.tox.on("message", ({ friend, text }) => {
      if (friend === aliceSees) alice.hear(text);
      else expectThat(friend === this.malloryAsFriend, "a message comes from nobody");
    });
    bob.tox.on("message", ({ friend, text }) => {
      expectThat(friend === bobSees, "a message comes from nobody");
      bob.hear(text);
    });
  }

  #note(sent: Datagram): void {
    const { alice } = this;
    if (alice.host.endpoints.includes(sent.from)) {
      const account = this.#strangers.get(endpointKey(sent.to));
      if (account !== undefined) account.sent += sent.bytes.length;
    } else if (alice.host.endpoints.includes(sent.to)) {
      this.seen.push({ ...sent, bytes: sent.bytes.slice() });
      if (this.seen.length > KEPT) this.seen.shift();
    }
  }
}

function keyOf(hex: string): PublicKey {
  return fromHex(hex) as Uint8Array as PublicKey;
}
