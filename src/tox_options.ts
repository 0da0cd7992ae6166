import type { BootstrapNode } from "./bootstrap_node.ts";
import { asSecretKey, SECRET_KEY_SIZE, type SecretKey } from "./crypto/keys.ts";
import type { DhtOptions } from "./dht/dht.ts";
import type { Edges } from "./env/edges.ts";
import type { PortMapper } from "./env/port_mapper.ts";
import type { Store } from "./env/store.ts";
import { defaultPorts, type UdpOptions } from "./network/udp_network.ts";
import { fromHex } from "./util/bytes.ts";
import { ToxError } from "./util/tox_error.ts";
import type { UserStatus } from "./wire/friend/presence.ts";

export interface ToxOptions {
  /**
   * Keeps everything: who we are, the friends, messages that wait, half-done files. In memory, so gone with the process, when
   * left out. Of the options below, name and status replace what it holds, where they are given.
   */
  readonly store?: Store;
  /** A plain `.tox` file's bytes to begin with, where the store holds no profile yet. They are copied. */
  readonly profile?: Uint8Array;
  /**
   * The long-term secret key, 32 bytes or 64 hex digits: who we are. Random in a new profile when left out; beside a profile it
   * must be the same. It is copied.
   */
  readonly secretKey?: Uint8Array | string;
  /** The part of the Tox ID that friend requests have to know, a 32-bit number. Random when left out. */
  readonly nospam?: number;
  /** At most 128 bytes of UTF-8. */
  readonly name?: string;
  /** At most 1007 bytes of UTF-8. */
  readonly statusMessage?: string;
  readonly status?: UserStatus;
  /** Exactly this UDP port (0: any free one). The first free one of 33445–33545 when left out. Of no use where `udp` is false. */
  readonly port?: number;
  /** Local addresses to listen on; all of the machine's when left out. */
  readonly bindIpv4?: string;
  readonly bindIpv6?: string;
  readonly ipv4?: boolean;
  readonly ipv6?: boolean;
  /** False: nothing is sent or heard over UDP; TCP relays carry everything. True when left out. */
  readonly udp?: boolean;
  /** Serves as a TCP relay for others on this port. None when left out. */
  readonly relayPort?: number;
  /** TCP relays to connect to, from the start. */
  readonly relays?: readonly BootstrapNode[];
  /**
   * Nodes to ask first. They are tried as TCP relays too, on the same port, once there are friends, or where UDP brings no
   * answer. Nobody is contacted that is not named here or in `relays`.
   */
  readonly bootstrap?: readonly BootstrapNode[];
  /** Whether friends behind NATs are reached directly by hole punching. True when left out. */
  readonly holePunching?: boolean;
  /**
   * Whether to tell of our node in the local networks, every 10 s, and to find people there who do the same. The network
   * then knows that we are there. False when left out.
   */
  readonly lan?: boolean;
  /**
   * Whether to ask the router, with PCP, NAT-PMP or UPnP, to let others in at our UDP port and our relay port. Nobody is
   * kept waiting for it, and a router that refuses is no error. False when left out.
   */
  readonly portMapping?: boolean;
  /** Gives up the start with the code `aborted`. */
  readonly signal?: AbortSignal;
}

export function udpOptions(options: ToxOptions): UdpOptions {
  if (options.port !== undefined) expectPort(options.port, 0);
  return {
    ports: options.port === undefined ? defaultPorts() : [options.port],
    ...(options.ipv4 !== undefined && { ipv4: options.ipv4 }),
    ...(options.ipv6 !== undefined && { ipv6: options.ipv6 }),
    ...(options.bindIpv4 !== undefined && { bindIpv4: options.bindIpv4 }),
    ...(options.bindIpv6 !== undefined && { bindIpv6: options.bindIpv6 }),
    ...(options.lan === true && { broadcast: true }),
  };
}

export function dhtOptions(
  env: Pick<Edges, "interfaces">,
  options: ToxOptions,
): Pick<DhtOptions, "holePunching" | "lan"> {
  const holePunching = options.holePunching ?? true;
  if (options.lan !== true) return { holePunching };
  if (options.udp === false) {
    throw new ToxError(
      "invalid-argument",
      "Leave out `lan` where UDP is off or there is a proxy: it broadcasts over UDP.",
    );
  }
  if (env.interfaces !== undefined) return { holePunching, lan: env.interfaces };
  throw new ToxError("network-unavailable", "Leave out `lan`: the network interfaces are not known here.");
}

/** Whom to ask for ports; nobody unless told to. Throws `invalid-argument` where that makes no sense. */
export function portMapperOf(
  { portMapper }: Pick<Edges, "portMapper">,
  { portMapping, ipv4, udp, relayPort }: Pick<ToxOptions, "portMapping" | "ipv4" | "udp" | "relayPort">,
): PortMapper | undefined {
  if (portMapping !== true) return undefined;
  const why =
    portMapper === undefined
      ? "there is a proxy, or no way to ask a router: nobody can connect to us there"
      : ipv4 === false
        ? "IPv4 is off: routers map nothing else"
        : udp === false && relayPort === undefined
          ? "UDP is off and we are no relay: there is no port to map"
          : undefined;
  if (why !== undefined) throw new ToxError("invalid-argument", `Leave out \`portMapping\` where ${why}.`);
  return portMapper;
}

/** A copy of the secret key that the caller gave, so that ours can be wiped. */
export function secretKeyOf(given: Uint8Array | string): SecretKey {
  const bytes = typeof given === "string" ? fromHex(given) : given.slice();
  if (bytes?.length !== SECRET_KEY_SIZE) {
    throw new ToxError("invalid-argument", "Give the secret key as 32 bytes or as 64 hex digits.");
  }
  return asSecretKey(bytes);
}

export function expectPort(port: number, lowest: 0 | 1): void {
  if (!Number.isInteger(port) || port < lowest || port > 65535) {
    throw new ToxError("invalid-argument", `Give a port from ${lowest} to 65535 instead of ${port}.`);
  }
}

export function expectU32(value: number, what: string): void {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw new ToxError("invalid-argument", `Give ${what} as a whole number from 0 to 4294967295.`);
  }
}
