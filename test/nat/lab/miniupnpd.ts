import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnTied } from "../../interop/process.ts";

/** What a router can be asked for ports with. */
export type MapsWith = "pcp" | "upnp";

/** The tables that the daemon changes, before those of the router itself. Its names are the daemon's defaults. */
export const MINIUPNPD_TABLES = [
  "nft add table inet miniupnpd",
  "nft add chain inet miniupnpd miniupnpd",
  "nft add chain inet miniupnpd prerouting_miniupnpd",
  "nft add chain inet miniupnpd postrouting_miniupnpd",
  "nft add chain inet miniupnpd forward { type filter hook forward priority 0 ; }",
  "nft add chain inet miniupnpd prerouting { type nat hook prerouting priority -100 ; }",
  "nft add chain inet miniupnpd postrouting { type nat hook postrouting priority 90 ; }",
  "nft add rule inet miniupnpd forward jump miniupnpd",
  "nft add rule inet miniupnpd prerouting jump prerouting_miniupnpd",
  "nft add rule inet miniupnpd postrouting jump postrouting_miniupnpd",
];

/** Starts `miniupnpd` in a router's namespace, which has the tables. It serves the router's inside. */
export function startMiniupnpd(netns: string, maps: MapsWith): Disposable {
  const directory = mkdtempSync(join(tmpdir(), "toxcore-ts-miniupnpd-"));
  const config = [
    "ext_ifname=outside",
    "listening_ip=inside",
    "http_port=0",
    `enable_natpmp=${maps === "pcp" ? "yes" : "no"}`,
    `enable_upnp=${maps === "upnp" ? "yes" : "no"}`,
    "secure_mode=yes",
    "uuid=00000000-0000-4000-8000-000000000001",
    "upnp_table_name=miniupnpd",
    "upnp_nat_table_name=miniupnpd",
    "allow 1024-65535 0.0.0.0/0 1024-65535",
    "",
  ];
  writeFileSync(join(directory, "config"), config.join("\n"));
  const files = ["-f", join(directory, "config"), "-P", join(directory, "pid")];
  const child = spawnTied("miniupnpd", ["-d", ...files], netns);
  child.on("error", () => {}); // the case or the self test says that nothing was mapped
  child.stdout.resume();
  child.stderr.resume();
  return {
    [Symbol.dispose]: () => {
      child.kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
