import { readFile } from "node:fs/promises";

/** What a process did with the network. */
export interface SocketUse {
  /** Everybody that it talked to, or tried to, as `address:port`, each once. */
  readonly addresses: readonly string[];
  /** Where it bound a socket to. */
  readonly bound: readonly string[];
  /** Its sockets but those of TCP: `udp`, `netlink`, `raw`, …, each once. */
  readonly others: readonly string[];
  /** Whether it asked for names: something went to port 53, or to the name service of the machine. */
  readonly dns: boolean;
}

/**
 * The command line that runs another with all its threads and children under `strace`, which writes to `log`. They get no
 * io_uring, by which something could be sent without a system call; Node does without.
 */
export function watched(log: string, line: readonly string[]): string[] {
  const what = ["-e", "trace=%network,io_uring_setup", "-e", "inject=io_uring_setup:error=ENOSYS", "-e", "signal=none"];
  return ["strace", "-f", "--seccomp-bpf", "-qq", "-s", "0", ...what, "-o", log, ...line];
}

/** What was done so far in a log of `watched`. */
export async function socketUse(log: string): Promise<SocketUse> {
  return parseTrace(await readFile(log, "utf8"));
}

/** Reads the lines of strace, as `123 connect(20, {sa_family=AF_INET, sin_port=htons(80), …}, 16) = 0`. */
export function parseTrace(text: string): SocketUse {
  const addresses = new Set<string>();
  const bound = new Set<string>();
  const others = new Set<string>();
  let dns = false;
  for (const line of text.split("\n")) {
    const [, call = "", rest = ""] = /^(?:\d+ +)?(\w+)\((.*)$/.exec(line) ?? [];
    switch (call) {
      case "connect":
      case "sendto":
      case "sendmsg":
      case "sendmmsg":
        for (const address of addressesOf(rest)) {
          addresses.add(address);
          dns ||= address.endsWith(":53");
        }
        dns ||= /nscd|systemd\/resolve/.test(rest);
        break;
      case "bind":
        for (const address of addressesOf(rest)) bound.add(address);
        break;
      case "socket": {
        const kind = socketKind(rest);
        if (kind !== undefined) others.add(kind);
        break;
      }
    }
  }
  return { addresses: [...addresses], bound: [...bound], others: [...others], dns };
}

function addressesOf(text: string): string[] {
  const v4 = text.matchAll(/sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]+)"\)/g);
  const v6 = text.matchAll(/sin6_port=htons\((\d+)\).*?inet_pton\(AF_INET6, "([^"]+)"/g);
  const found = [...v4].map(([, port, address]) => `${address}:${port}`);
  for (const [, port, address] of v6) found.push(`[${address}]:${port}`);
  return found;
}

/** Undefined for TCP, and for what stays within the machine by its nature. */
function socketKind(text: string): string | undefined {
  const [, family = "", type = ""] = /^(\w+), (\w+)/.exec(text) ?? [];
  if (family === "AF_UNIX") return undefined;
  if (family !== "AF_INET" && family !== "AF_INET6") return family.replace("AF_", "").toLowerCase();
  if (type === "SOCK_STREAM") return undefined;
  return type === "SOCK_DGRAM" ? "udp" : type.replace("SOCK_", "").toLowerCase();
}
