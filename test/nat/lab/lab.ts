import { execFileSync } from "node:child_process";
import { type MapsWith, MINIUPNPD_TABLES, startMiniupnpd } from "./miniupnpd.ts";
import { type RouterKind, routerRules } from "./router_rules.ts";

/** A namespace, and its address on the side that matters. */
export interface Host {
  readonly netns: string;
  readonly address: string;
}

/** On the Internet itself, with an IPv6 address where it has one. */
export interface PublicHost extends Host {
  readonly address6: string;
}

/** A router, with a network of its own on its inside. Its `address` is the outer one. */
export interface Router extends Host {
  /** The first three bytes of the addresses inside, `10.0.0`. */
  readonly inside: string;
  readonly kind: RouterKind;
}

/** A home behind a router of its own. */
export interface Home extends Host {
  readonly router: Router;
}

export interface RouterOptions {
  /** A router whose network this one is plugged into, instead of the Internet. */
  readonly behind?: Router;
  /** Default: `10.0.0`, as in every other home. */
  readonly inside?: string;
  /** How it can be asked for ports. Default: not at all. */
  readonly maps?: MapsWith;
}

export interface LabOptions {
  /** With addresses that nothing reserves, for routers that map no ports on reserved ones. Nothing leaves the bridge. */
  readonly unreserved?: boolean;
}

/**
 * Hosts in the first half of a /15, routers in the second, each in a /24 of its own as on the Internet, where nobody knows
 * anybody next door.
 */
const RESERVED = ["198.18.", "198.19."] as const;
const UNRESERVED = ["11.18.", "11.19."] as const;
/** 2001:2::/48, each host in a /64 of its own. */
const PUBLIC_PREFIX6 = "2001:2:0:";
/** The one host inside that full cones and address-restricted routers send to. */
const FIRST_INSIDE = 2;

/** All that are not disposed of, for an end by a signal. */
const open = new Set<Lab>();
let count = 0;

function endAll(): void {
  for (const lab of [...open]) lab[Symbol.dispose]();
  process.exit(130);
}

/** An Internet of namespaces: a bridge without a way out, public hosts, and homes behind routers. Needs root. */
export class Lab implements Disposable {
  readonly #prefix = `nat-${process.pid}-${++count}-`;
  readonly #namespaces: string[] = [];
  readonly #internet: string;
  readonly #prefixes: readonly [hosts: string, routers: string];
  readonly #daemons: Disposable[] = [];
  readonly #insiders = new Map<Router, number>();
  #hosts = 0;
  #routers = 0;

  constructor({ unreserved = false }: LabOptions = {}) {
    this.#prefixes = unreserved ? UNRESERVED : RESERVED;
    if (open.size === 0) for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, endAll);
    open.add(this);
    try {
      this.#internet = this.#namespace("internet");
      this.run(this.#internet, "ip link add br0 type bridge");
      this.run(this.#internet, "ip link set br0 up");
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** A host on the Internet itself. Default: both families. */
  addPublicHost({ ipv4 = true, ipv6 = true } = {}): PublicHost {
    const number = ++this.#hosts;
    const netns = this.#namespace(`public${number}`);
    const [address, address6] = [`${this.#prefixes[0]}${number}.1`, `${PUBLIC_PREFIX6}${number.toString(16)}::1`];
    this.#plugIn(this.#internet, "br0", netns, `p${number}`);
    if (ipv4) this.run(netns, `ip address add ${address}/15 dev outside`);
    if (ipv6) this.run(netns, `ip address add ${address6}/48 dev outside nodad`);
    return { netns, address, address6 };
  }

  /** A router of that kind, and one host behind it. */
  addHome(kind: RouterKind, options?: RouterOptions): Home {
    const router = this.addRouter(kind, options);
    return { ...this.addInsider(router), router };
  }

  addRouter(kind: RouterKind, { behind, inside = "10.0.0", maps }: RouterOptions = {}): Router {
    const number = ++this.#routers;
    const netns = this.#namespace(`router${number}`);
    let address = `${this.#prefixes[1]}${number}.1`;
    if (behind === undefined) {
      this.#plugIn(this.#internet, "br0", netns, `r${number}`);
      this.run(netns, `ip address add ${address}/15 dev outside`);
    } else {
      address = this.#plugInside(behind, netns);
    }
    this.run(netns, "ip link add inside type bridge");
    this.run(netns, `ip address add ${inside}.1/24 dev inside`);
    this.run(netns, "ip link set inside up");
    this.run(netns, "sysctl -qw net.ipv4.ip_forward=1");
    const rules = routerRules(kind, address, `${inside}.${FIRST_INSIDE}`, maps !== undefined);
    for (const rule of [...(maps === undefined ? [] : MINIUPNPD_TABLES), ...rules]) this.run(netns, rule);
    if (maps !== undefined) this.#daemons.push(startMiniupnpd(netns, maps));
    return { netns, address, inside, kind };
  }

  /** One more host behind that router. */
  addInsider(router: Router): Host {
    const netns = this.#namespace(`home${++this.#hosts}`);
    return { netns, address: this.#plugInside(router, netns) };
  }

  /** Lets those inside reach that host by the router's outer address, at a port that the router keeps. */
  addHairpin(router: Router, host: Host, port: number): void {
    const nat = `iptables -w -t nat -A`;
    const there = `-p udp -d ${router.address} --dport ${port} -j DNAT --to-destination ${host.address}`;
    this.run(router.netns, `${nat} PREROUTING -i inside ${there}`);
    const back = `-p udp -d ${host.address} --dport ${port} -j SNAT --to-source ${router.address}`;
    this.run(router.netns, `${nat} POSTROUTING -o inside ${back}`);
  }

  /** Forgets all mappings of a router; from now on it maps to ports from that range. */
  remap({ netns, address }: Router, ports: string): void {
    this.run(netns, `iptables -w -t nat -I POSTROUTING -o outside -p udp -j SNAT --to-source ${address}:${ports}`);
    this.forgetMappings(netns);
  }

  /** Cuts a router off, as while it starts; back on, it has forgotten everything. */
  setPower({ netns }: Router, power: "on" | "off"): void {
    this.run(netns, `ip link set outside ${power === "on" ? "up" : "down"}`);
    this.run(netns, `ip link set inside ${power === "on" ? "up" : "down"}`);
    this.forgetMappings(netns);
  }

  forgetMappings(netns: string): void {
    this.run(netns, "conntrack -F");
  }

  /** Deletes all namespaces, and with them their links. Idempotent. */
  [Symbol.dispose](): void {
    open.delete(this);
    if (open.size === 0) for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, endAll);
    for (const daemon of this.#daemons.splice(0)) daemon[Symbol.dispose]();
    for (const netns of this.#namespaces.splice(0)) {
      try {
        execFileSync("ip", ["netns", "del", netns], { stdio: "ignore" });
      } catch {} // the others are to go all the same
    }
  }

  /** Runs a command in a namespace; throws when it fails. */
  run(netns: string, command: string): void {
    execFileSync("ip", ["netns", "exec", netns, ...command.split(" ")], { stdio: "pipe" });
  }

  #namespace(name: string): string {
    const netns = this.#prefix + name;
    execFileSync("ip", ["netns", "add", netns]);
    this.#namespaces.push(netns);
    this.run(netns, "ip link set lo up");
    return netns;
  }

  /** Gives the address. */
  #plugInside(router: Router, netns: string): string {
    const number = this.#insiders.get(router) ?? FIRST_INSIDE;
    this.#insiders.set(router, number + 1);
    this.#plugIn(router.netns, "inside", netns, `h${number}`);
    const address = `${router.inside}.${number}`;
    this.run(netns, `ip address add ${address}/24 dev outside`);
    this.run(netns, `ip route add default via ${router.inside}.1`);
    return address;
  }

  #plugIn(network: string, bridge: string, netns: string, port: string): void {
    this.run(network, `ip link add ${port} type veth peer name outside netns ${netns}`);
    this.run(network, `ip link set ${port} master ${bridge} up`);
    this.run(netns, "ip link set outside up");
  }
}
