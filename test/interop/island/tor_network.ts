import { spawnSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Sandbox } from "../netns.ts";
import { ended, spawnTied } from "../process.ts";

/** Debian's `tor`, whose service is to be off: it would contact the real network. */
export function torAvailable(): boolean {
  return ["tor", "tor-gencert"].every((program) => spawnSync(program, ["--version"]).error === undefined);
}

/** Enough for circuits of three, and each an exit. */
const AUTHORITIES = [1, 2, 3];
const PATIENCE_MS = 90_000;

/** A Tor network of its own, of authorities that are relays too, and a client whose SOCKS port is `socks`. */
export async function startTorNetwork({ netns, directory }: Sandbox, socks: string): Promise<AsyncDisposable> {
  await using starting = new AsyncDisposableStack();
  const lines: string[] = [];
  for (const number of AUTHORITIES) lines.push(await makeAuthority(directory, number));
  const start = async (name: string, own: readonly string[]) => {
    const data = join(directory, name);
    await mkdir(data, { recursive: true, mode: 0o700 });
    const file = join(data, "torrc");
    await writeFile(file, [...COMMON, ...lines, `DataDirectory ${data}`, "Log notice stdout", ...own, ""].join("\n"));
    const child = spawnTied("tor", ["-f", file], netns);
    const gone = ended(child);
    starting.defer(async () => {
      child.kill("SIGINT");
      await gone;
    });
    return child;
  };
  for (const number of AUTHORITIES) {
    const child = await start(`tor-${number}`, [
      ...AUTHORITY,
      `Nickname test${number}`,
      `OrPort ${5000 + number}`,
      `DirPort ${7000 + number}`,
    ]);
    child.stdout.resume();
  }
  const client = await start("tor-client", [`SocksPort ${socks}`]);
  const timer = setTimeout(() => client.kill("SIGINT"), PATIENCE_MS);
  let log = "";
  for await (const line of createInterface({ input: client.stdout })) {
    log += `${line}\n`;
    if (!line.includes("Bootstrapped 100%")) continue;
    clearTimeout(timer);
    client.stdout.resume();
    const all = starting.move();
    return { [Symbol.asyncDispose]: () => all.disposeAsync() };
  }
  throw new Error(`Tor did not start:\n${log}`);
}

/** As Tor's own test networks have it: all on one address, and agreed upon in seconds. */
const COMMON = [
  "TestingTorNetwork 1",
  "Address 127.0.0.1",
  "ShutdownWaitLength 0",
  "PathsNeededToBuildCircuits 0.25",
  "V3AuthVotingInterval 20",
  "V3AuthVoteDelay 2",
  "V3AuthDistDelay 2",
  "TestingV3AuthInitialVotingInterval 5",
  "TestingV3AuthInitialVoteDelay 2",
  "TestingV3AuthInitialDistDelay 2",
  "TestingDirAuthVoteExit *",
  "TestingDirAuthVoteGuard *",
  "TestingMinExitFlagThreshold 0",
  "AssumeReachable 1",
  "ExitPolicyRejectPrivate 0",
  "ExtendAllowPrivateAddresses 1",
  "EnforceDistinctSubnets 0",
];

const AUTHORITY = [
  "AuthoritativeDirectory 1",
  "V3AuthoritativeDirectory 1",
  "ContactInfo nobody@example.invalid",
  "SocksPort 0",
  "ExitRelay 1",
  "ExitPolicy accept *:*",
];

/** Makes its keys. Answers the line by which the others know it. */
async function makeAuthority(directory: string, number: number): Promise<string> {
  const data = join(directory, `tor-${number}`);
  const key = (name: string) => join(data, "keys", `authority_${name}`);
  await mkdir(join(data, "keys"), { recursive: true, mode: 0o700 });
  const address = `127.0.0.1:${7000 + number}`;
  const files = ["-i", key("identity_key"), "-s", key("signing_key"), "-c", key("certificate")];
  run("tor-gencert", ["--create-identity-key", "--passphrase-fd", "0", ...files, "-m", "1", "-a", address], "any\n");
  const [, identity] = /^fingerprint (\w+)$/m.exec(await readFile(key("certificate"), "utf8")) ?? [];
  const empty = join(directory, "empty.torrc");
  await writeFile(empty, "");
  const nobody = ["--DirServer", `x 127.0.0.1:1 ${"f".repeat(40)}`];
  const me = ["--OrPort", String(5000 + number), "--Nickname", `test${number}`];
  const told = run("tor", ["--list-fingerprint", "--quiet", "-f", empty, "--DataDirectory", data, ...me, ...nobody]);
  const fingerprint = told.trim().split("\n").at(-1)?.replace(/^\S+/, "").replaceAll(" ", "");
  return `DirAuthority test${number} orport=${5000 + number} no-v2 v3ident=${identity} ${address} ${fingerprint}`;
}

function run(command: string, args: string[], input = ""): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8", input });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr}`);
  return stdout;
}
