import { execFileSync } from "node:child_process";
import { type RouterKind, routerRules } from "./router_rules.ts";

/** A namespace, and its address on the side that matters. */
export interface Host {
  readonly netns: string;
  readonly address: string;
}

/** A home behind a router of its own. */
export interface Home extends Host {
  readonly router: Host;
}

const PUBLIC_PREFIX = "198.18.";

/** An Internet of namespaces: a bridge without a way out, public hosts, and homes behind routers. Needs root. */
export class Lab implements Disposable {
  readonly #prefix = `nat-${process.pid}-`;
  readonly #namespaces: string[] = [];
  readonly #internet: string;
  #hosts = 0;
  #routers = 0;
  readonly #end = () => {
    this[Symbol.dispose]();
    process.exit(130);
  };

  constructor() {
    process.once("SIGINT", this.#end);
    process.once("SIGTERM", this.#end);
    try {
      this.#internet = this.#namespace("internet");
      this.#in(this.#internet, "ip link add br0 type bridge");
      this.#in(this.#internet, "ip link set br0 up");
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** A host on the Internet itself. */
  addPublicHost(): Host {
    const number = ++this.#hosts;
    const netns = this.#namespace(`public${number}`);
    const address = `${PUBLIC_PREFIX}0.${number}`;
    this.#plugIn(netns, address, `p${number}`);
    return { netns, address };
  }

  /** A router of that kind, and one host behind it. */
  addHome(kind: RouterKind): Home {
    const number = ++this.#routers;
    const router = { netns: this.#namespace(`router${number}`), address: `${PUBLIC_PREFIX}1.${number}` };
    this.#plugIn(router.netns, router.address, `r${number}`);
    const home = { netns: this.#namespace(`home${number}`), address: "10.0.0.2" };
    this.#in(router.netns, `ip link add inside type veth peer name eth0 netns ${home.netns}`);
    this.#in(router.netns, "ip address add 10.0.0.1/24 dev inside");
    this.#in(router.netns, "ip link set inside up");
    this.#in(router.netns, "sysctl -qw net.ipv4.ip_forward=1");
    this.#in(home.netns, `ip address add ${home.address}/24 dev eth0`);
    this.#in(home.netns, "ip link set eth0 up");
    this.#in(home.netns, "ip route add default via 10.0.0.1");
    for (const rule of routerRules(kind, router.address, home.address)) {
      this.#in(router.netns, `iptables -w ${rule}`);
    }
    return { ...home, router };
  }

  /** Deletes all namespaces, and with them their links. Idempotent. */
  [Symbol.dispose](): void {
    process.off("SIGINT", this.#end);
    process.off("SIGTERM", this.#end);
    for (const netns of this.#namespaces.splice(0)) {
      try {
        execFileSync("ip", ["netns", "del", netns], { stdio: "ignore" });
      } catch {} // the others are to go all the same
    }
  }

  #namespace(name: string): string {
    const netns = this.#prefix + name;
    execFileSync("ip", ["netns", "add", netns]);
    this.#namespaces.push(netns);
    this.#in(netns, "ip link set lo up");
    return netns;
  }

  #plugIn(netns: string, address: string, port: string): void {
    this.#in(this.#internet, `ip link add ${port} type veth peer name outside netns ${netns}`);
    this.#in(this.#internet, `ip link set ${port} master br0 up`);
    this.#in(netns, `ip address add ${address}/15 dev outside`);
    this.#in(netns, "ip link set outside up");
  }

  #in(netns: string, command: string): void {
    execFileSync("ip", ["netns", "exec", netns, ...command.split(" ")], { stdio: ["ignore", "ignore", "inherit"] });
  }
}
