import type { LinkProperties, SimHost, Universe } from "../../../src/testing/index.ts";
import type { Dice } from "./dice.ts";

const GOOD: LinkProperties = {
  ...{ latency: [20, 40], loss: 0, duplication: 0, reordering: 0, reorderingDelay: [20, 200] },
  ...{ bandwidth: undefined, queue: 64 * 1024 },
};

/** All that can go wrong between machines. */
export class NetworkTroubles {
  readonly #universe: Universe;
  readonly #dice: Dice;
  readonly #tell: (what: string) => void;

  constructor(universe: Universe, dice: Dice, tell: (what: string) => void) {
    this.#universe = universe;
    this.#dice = dice;
    this.#tell = tell;
  }

  changeLinks(): void {
    const link = this.#anyLink();
    this.#tell(`all links: ${JSON.stringify(link)}`);
    this.#universe.network.setDefaultLink(link);
  }

  changeOneLink(): void {
    const { hosts, network } = this.#universe;
    const [from, to] = [this.#dice.pick(hosts), this.#dice.pick(hosts)];
    const link = this.#anyLink();
    this.#tell(`${from.name} to ${to.name}: ${JSON.stringify(link)}`);
    if (from !== to) network.setLinkOneWay(from, to, link);
  }

  silenceOneWay(from: SimHost): void {
    const { hosts, network } = this.#universe;
    const to = this.#dice.pick(hosts);
    this.#tell(`nothing from ${from.name} to ${to.name}`);
    if (from !== to) network.setLinkOneWay(from, to, { loss: 1 });
  }

  #anyLink(): Partial<LinkProperties> {
    const latency = this.#dice.pick([1, 10, 50, 200, 400]);
    return {
      loss: this.#dice.pick([0, 0, 0.02, 0.1, 0.2, 0.4]),
      duplication: this.#dice.pick([0, 0, 0.05, 0.3]),
      reordering: this.#dice.pick([0, 0, 0.05, 0.3]),
      reorderingDelay: [1, this.#dice.pick([20, 200, 1000])],
      latency: [latency, latency * this.#dice.pick([1, 1.5, 2])],
      bandwidth: this.#dice.pick([undefined, undefined, 20_000, 100_000, 1_000_000]),
      queue: this.#dice.pick([4_000, 20_000, 64_000]),
    };
  }

  part(): void {
    const universe = this.#universe;
    const left = universe.hosts.filter(() => this.#dice.chance(0.5));
    const right = universe.hosts.filter((host) => !left.includes(host));
    this.#tell(`parted: ${left.map(({ name }) => name)} | ${right.map(({ name }) => name)}`);
    universe.partition(left, right);
  }

  heal(): void {
    this.#tell("healed");
    this.#universe.heal();
    for (const host of this.#universe.hosts) host.goOnline();
  }

  pullCable(): void {
    const host = this.#dice.pick(this.#universe.hosts);
    this.#tell(`${host.name} pulls the cable`);
    host.goOffline();
  }

  /** Every cable is in, every link a good one. */
  end(): void {
    this.heal();
    const { hosts, network } = this.#universe;
    network.setDefaultLink(GOOD);
    for (const from of hosts) {
      for (const to of hosts) if (from !== to) network.setLinkOneWay(from, to, GOOD);
    }
  }
}
