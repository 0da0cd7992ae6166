import type { Interfaces } from "../env/interfaces.ts";
import type { SimHost } from "./simulated_host.ts";

/** A local network: what is sent to all neighbours goes to each host that has joined. */
export class SimulatedLan {
  readonly #hosts = new Set<SimHost>(); // bounded by the test
  readonly #listeners = new Map<SimHost, Set<() => void>>(); // bounded by the instances on each host

  /** What the host's instance takes as its `interfaces`, whether it has joined or not. */
  interfacesOf(host: SimHost): Interfaces {
    return {
      neighbours: (family, port) => {
        const hosts = this.#hosts.has(host) ? [...this.#hosts] : [host];
        return hosts.filter((other) => other.addressOf(family)).map((other) => other.endpoint(port, family));
      },
      onChange: (listener) => {
        const listeners = this.#listeners.get(host) ?? new Set();
        this.#listeners.set(host, listeners.add(listener));
        return () => void listeners.delete(listener);
      },
    };
  }

  join(...hosts: SimHost[]): void {
    for (const host of hosts) {
      this.#hosts.add(host);
      this.#changed(host);
    }
  }

  leave(host: SimHost): void {
    this.#hosts.delete(host);
    this.#changed(host);
  }

  #changed(host: SimHost): void {
    for (const listener of [...(this.#listeners.get(host) ?? [])]) listener();
  }
}
