import {
  type BootstrapNode,
  type Friend,
  Tox,
  type ToxEnv,
  type ToxEvents,
  ToxNode,
  type ToxNodeOptions,
  type ToxOptions,
} from "../../src/core.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import { type HostOptions, replaySeed, type SimHost, Universe, type UniverseOptions } from "../../src/testing/index.ts";
import { Heard } from "./heard.ts";

export interface Person {
  readonly tox: Tox;
  readonly host: SimHost;
  readonly heard: Heard;
}

/** A node for everybody. */
export interface PublicNode {
  readonly node: ToxNode;
  readonly host: SimHost;
  readonly at: BootstrapNode;
}

export interface InstanceOptions extends ToxOptions {
  /** What the instance has instead of its host's own edges. */
  readonly env?: (host: SimHost) => Partial<ToxEnv>;
}

export interface PersonOptions extends InstanceOptions {
  readonly host?: HostOptions;
  /** Starts from nobody. */
  readonly alone?: boolean;
}

export interface StoryOptions extends UniverseOptions {
  /** How long things may take unless a line says otherwise, in virtual ms. */
  readonly patience?: number;
  /** Is told of every instance that starts, before anything happens to it. */
  readonly onPerson?: (person: Person) => void;
}

const PATIENCE = 60_000;

/** A universe with people in it, who know one another as a test says. Time passes only in `until` and `pass`. */
export class Story implements AsyncDisposable {
  readonly universe: Universe;
  readonly people: Person[] = []; // bounded by the test
  readonly publicNodes: PublicNode[] = []; // bounded by the test
  readonly patience: number;
  readonly #onPerson: StoryOptions["onPerson"];

  constructor(options: StoryOptions = {}) {
    this.universe = new Universe({ ...options, seed: replaySeed(options.seed ?? 1) });
    this.patience = options.patience ?? PATIENCE;
    this.#onPerson = options.onPerson;
  }

  /**
   * A new person on a host of that name, who starts from the public nodes, or else the first person's node, unless told
   * otherwise.
   */
  async person(name: string, options: PersonOptions = {}): Promise<Person> {
    const { host: hostOptions, alone = false, ...toxOptions } = options;
    return this.restart(
      this.universe.host(name, hostOptions),
      name,
      alone ? { bootstrap: [], ...toxOptions } : toxOptions,
    );
  }

  /** Starts an instance on a host, which may have had one before. Whoever has a profile goes by the name in it. */
  async restart(host: SimHost, name: string, options: InstanceOptions = {}): Promise<Person> {
    const { env: changes, ...toxOptions } = options;
    const env = { ...host.edges, crypto: sodiumProvider, ...changes?.(host) };
    const called = options.profile === undefined ? { name } : {};
    const tox = await this.universe.wait(Tox.create(env, { ...called, bootstrap: this.#wayIn(), ...toxOptions }));
    const person = { tox, host, heard: new Heard(tox) };
    this.people.push(person);
    this.#onPerson?.(person);
    return person;
  }

  /** A new public node that is a TCP relay as well, on the port it has for UDP, and starts from the first of them. */
  async publicNode(name: string, options: ToxNodeOptions & { readonly host?: HostOptions } = {}): Promise<PublicNode> {
    const { host: hostOptions, ...nodeOptions } = options;
    const host = this.universe.host(name, hostOptions);
    const [first] = this.publicNodes;
    const bootstrap = first === undefined ? [] : [first.at];
    const env = { ...host.edges, crypto: sodiumProvider };
    const node = await this.universe.wait(ToxNode.create(env, { relayPorts: [33445], bootstrap, ...nodeOptions }));
    const one = { node, host, at: { host: host.address, port: node.udpPort, publicKey: node.publicKey } };
    this.publicNodes.push(one);
    return one;
  }

  /** So many public nodes. */
  async relays(count: number): Promise<PublicNode[]> {
    const relays: PublicNode[] = [];
    for (let i = 0; i < count; i++) relays.push(await this.publicNode(`relay ${i}`));
    return relays;
  }

  /** `count` people without friends, who are the network. */
  async crowd(count: number): Promise<Person[]> {
    const crowd: Person[] = [];
    for (let i = 0; i < count; i++) crowd.push(await this.person(`node ${i}`));
    return crowd;
  }

  /** Both add each other; resolves when both see the other online. */
  async befriend(one: Person, other: Person, timeout = this.patience): Promise<[Friend, Friend]> {
    const friends: [Friend, Friend] = [
      await one.tox.addFriendWithoutRequest(other.tox.publicKey),
      await other.tox.addFriendWithoutRequest(one.tox.publicKey),
    ];
    await this.until("both online", () => friends.every((friend) => friend.connection !== "none"), timeout);
    return friends;
  }

  /** Lets time pass until `condition` holds. */
  async until(what: string, condition: () => boolean, timeout = this.patience): Promise<void> {
    await this.universe.runUntil(condition, { what, timeout });
  }

  /** Lets time pass until the person hears such an event, and answers it. */
  async hears<Name extends keyof ToxEvents>(
    person: Person,
    name: Name,
    matches: (event: ToxEvents[Name]) => boolean = () => true,
    timeout = this.patience,
  ): Promise<ToxEvents[Name]> {
    let event: ToxEvents[Name] | undefined;
    const heard = () => {
      event ??= person.heard.take(name, matches);
      return event !== undefined;
    };
    await this.until(`${person.host.name} to hear of ${name}`, heard, timeout);
    return event as ToxEvents[Name];
  }

  async pass(ms: number): Promise<void> {
    await this.universe.run(ms);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.people.map((person) => person.tox.close()));
    await Promise.all(this.publicNodes.map(({ node }) => node.close()));
  }

  #wayIn(): BootstrapNode[] {
    if (this.publicNodes.length > 0) return this.publicNodes.map(({ at }) => at);
    const [first] = this.people;
    return first === undefined ? [] : [nodeOf(first)];
  }
}

export function nodeOf(person: Person): { host: string; port: number; publicKey: string } {
  return { host: person.host.address, port: person.tox.udpPort, publicKey: person.tox.dhtPublicKey };
}
