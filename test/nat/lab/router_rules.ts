export const ROUTER_KINDS = [
  "full-cone",
  "address-restricted",
  "port-restricted",
  "symmetric",
  "symmetric-counting",
  "udp-blocked",
] as const;
export type RouterKind = (typeof ROUTER_KINDS)[number];

/** The ports that a router which counts gives out, one after the other and around. */
const COUNTED = Array.from({ length: 256 }, (_, count) => `${count} : ${50_000 + count}`).join(" , ");

/**
 * The commands that make a router, `outside` being its public address. A packet that nobody asked for is dropped before
 * conntrack confirms it: an entry of its own would cost the next packet from inside its port. A router that `maps` ports
 * lets those in that it has been asked to, which it knows only after its first tables: it drops the others later.
 */
export function routerRules(kind: RouterKind, outside: string, home: string, maps = false): string[] {
  const iptables = (rule: string) => `iptables -w ${rule}`;
  const unasked = "-t mangle -A PREROUTING -i outside -m conntrack --ctstate NEW";
  const keepPort = `-t nat -A POSTROUTING -o outside -j SNAT --to-source ${outside}`;
  const toHome = `-t nat -A PREROUTING -i outside -p udp -j DNAT --to-destination ${home}`;
  const closed = maps
    ? [
        "-A INPUT -i outside -m conntrack --ctstate NEW -j DROP",
        "-A FORWARD -i outside -m conntrack --ctstate NEW -m conntrack ! --ctstate DNAT -j DROP",
      ]
    : [`${unasked} -j DROP`];
  switch (kind) {
    case "full-cone":
      return [`${unasked} ! -p udp -j DROP`, toHome, keepPort].map(iptables);
    case "address-restricted":
      return [
        "-t mangle -A PREROUTING -i inside -p udp -m recent --name asked --rdest --set",
        `${unasked} ! -p udp -j DROP`,
        `${unasked} -p udp -m recent --name asked --rsource ! --rcheck -j DROP`,
        toHome,
        keepPort,
      ].map(iptables);
    case "port-restricted":
      return [...closed, keepPort].map(iptables);
    case "symmetric":
      return [...closed, "-t nat -A POSTROUTING -o outside -j MASQUERADE --random-fully"].map(iptables);
    case "symmetric-counting": // iptables knows no counter
      return [
        ...[...closed, keepPort].map(iptables),
        "nft add table ip counting",
        "nft add chain ip counting out { type nat hook postrouting priority 95 ; }",
        `nft add rule ip counting out oifname outside meta l4proto udp snat to ${outside} : numgen inc mod 256 map { ${COUNTED} }`,
      ];
    case "udp-blocked":
      return [...closed, "-A FORWARD -p udp -j DROP", keepPort].map(iptables);
  }
}
