import type { Endpoint } from "../env/datagram.ts";
import { sameBytes } from "../util/bytes.ts";
import { SimHost } from "./simulated_host.ts";
import { type NetworkNode, type Protocol, Realm, SimNat } from "./simulated_nat.ts";
import type { Fate } from "./trace.ts";

/** Where something goes once it has left the NATs of its sender. */
export interface Departure {
  /** The sender, as seen from there. */
  readonly from: Endpoint;
  /** The host, or the NAT that it must come in through. */
  readonly at: NetworkNode | undefined;
  /** Why it goes nowhere, without `at`. */
  readonly fate: Fate;
}

/** Where something ends once it has come in through the NATs of its receiver. */
export interface Entry {
  /** The receiver, as it calls itself. */
  readonly to: Endpoint;
  readonly host: SimHost | undefined;
  /** Why it ends nowhere, without `host`. */
  readonly fate: Fate;
}

/** Finds the way between hosts, through the NATs that they are behind. */
export class Router {
  readonly internet = new Realm();

  /** Where an address of the host belongs. NATs are for IPv4. */
  realmOf(host: SimHost, address: Uint8Array): Realm {
    return address.length === 4 ? (host.behind?.inside ?? this.internet) : this.internet;
  }

  /** The way out, through every NAT up to where `to` is known. `opens`: NATs may make mappings. */
  leave(host: SimHost, protocol: Protocol, from: Endpoint, to: Endpoint, opens: boolean): Departure {
    let source = from;
    let realm = this.realmOf(host, to.address);
    for (;;) {
      const at = realm.find(to.address);
      if (at !== undefined) return { from: source, at, fate: "delivered" };
      const { nat } = realm;
      if (nat === undefined) return { from: source, at, fate: "no-host" };
      const home = sameBytes(nat.addressBytes, to.address);
      if (home && !nat.hairpin) return { from: source, at, fate: "no-hairpin" };
      const translated = nat.outbound(protocol, source, to, opens);
      if (translated === undefined) return { from: source, at, fate: "no-mapping" };
      source = translated;
      if (home) return { from: source, at: nat, fate: "delivered" };
      realm = nat.outside;
    }
  }

  /** Who would get what is sent to `to` at a node, if the NATs let it in; undefined when nobody. */
  behind(node: NetworkNode, protocol: Protocol, to: Endpoint): SimHost | undefined {
    let at: NetworkNode | undefined = node;
    let target: Endpoint | undefined = to;
    while (at instanceof SimNat) {
      target = at.insideOf(target.port, protocol);
      if (target === undefined) return undefined;
      at = at.inside.find(target.address);
    }
    return at instanceof SimHost ? at : undefined;
  }

  /** The way in, from a node on, through every NAT. */
  enter(node: NetworkNode | undefined, protocol: Protocol, from: Endpoint, to: Endpoint): Entry {
    let at = node;
    let target = to;
    while (at instanceof SimNat) {
      const inside = at.inbound(protocol, target.port, from);
      if (typeof inside === "string") return { to: target, host: undefined, fate: inside };
      target = inside;
      at = at.inside.find(target.address);
    }
    if (at instanceof SimHost) return { to: target, host: at, fate: "delivered" };
    return { to: target, host: undefined, fate: "no-host" };
  }
}
