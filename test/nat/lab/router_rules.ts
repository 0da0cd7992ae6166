export const ROUTER_KINDS = ["full-cone", "address-restricted", "port-restricted", "symmetric", "udp-blocked"] as const;
export type RouterKind = (typeof ROUTER_KINDS)[number];

/**
 * The iptables arguments of a router, `outside` being its public address. A packet that nobody asked for is dropped
 * before conntrack confirms it: an entry of its own would cost the next packet from inside its port.
 */
export function routerRules(kind: RouterKind, outside: string, home: string): string[] {
  const unasked = "-t mangle -A PREROUTING -i outside -m conntrack --ctstate NEW";
  const keepPort = `-t nat -A POSTROUTING -o outside -j SNAT --to-source ${outside}`;
  const toHome = `-t nat -A PREROUTING -i outside -p udp -j DNAT --to-destination ${home}`;
  switch (kind) {
    case "full-cone":
      return [`${unasked} ! -p udp -j DROP`, toHome, keepPort];
    case "address-restricted":
      return [
        "-t mangle -A PREROUTING -i inside -p udp -m recent --name asked --rdest --set",
        `${unasked} ! -p udp -j DROP`,
        `${unasked} -p udp -m recent --name asked --rsource ! --rcheck -j DROP`,
        toHome,
        keepPort,
      ];
    case "port-restricted":
      return [`${unasked} -j DROP`, keepPort];
    case "symmetric":
      return [`${unasked} -j DROP`, "-t nat -A POSTROUTING -o outside -j MASQUERADE --random-fully"];
    case "udp-blocked":
      return [`${unasked} -j DROP`, "-A FORWARD -p udp -j DROP", keepPort];
  }
}
