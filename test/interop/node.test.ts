import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { askNodeInfo } from "../../src/cli/node/info.ts";
import { loadCryptoProvider, nodeEdges } from "../../src/node/index.ts";
import { ToxNode } from "../../src/tox_node.ts";
import { NodeProgram } from "../support/node_program.ts";
import { describeInterop, startBootstrapd, ToxcorePeer } from "./toxcore.ts";

describeInterop("a node of ours", () => {
  it("asks tox-bootstrapd for its version and message of the day", async () => {
    await using theirs = await startBootstrapd();
    const { version, motd } = await askNodeInfo(theirs.host, theirs.port);
    expect(version).toBeGreaterThan(0);
    expect(motd).toMatch(/^interop /);
  });

  it("lets a C peer find others through it", { timeout: 240_000 }, async () => {
    const edges = nodeEdges();
    await using node = await ToxNode.create(
      { ...edges, crypto: await loadCryptoProvider(), release: edges.close },
      { port: 0, ipv6: false, bindIpv4: "127.0.0.1" },
    );
    const at = { host: "127.0.0.1", port: node.udpPort, publicKey: node.publicKey };
    await using alice = await ToxcorePeer.start({ label: "alice" });
    await using bob = await ToxcorePeer.start({ label: "bob" });
    await Promise.all([alice.bootstrap(at), bob.bootstrap(at)]);
    await alice.friendAddNorequest(bob.publicKey);
    await bob.friendAddNorequest(alice.publicKey);
    await alice.waitFor("friendConnection", { friend: bob.publicKey, state: "udp" }, 200_000);
    expect(node.nodeCount).toBeGreaterThan(0);
  });

  it("reads tox-bootstrapd's configuration as it stands, and has the key that tox-bootstrapd made", async () => {
    await using scratch = await Scratch.make();
    const theirs = await startBootstrapd({ keysFile: scratch.path("keys") });
    const { publicKey } = theirs;
    await theirs.close();
    await writeFile(scratch.path("conf"), exampleConfiguration(scratch));
    await using ours = await NodeProgram.start("--config", scratch.path("conf"), "--port", "0");
    expect(ours.publicKey).toBe(publicKey);
    expect((await askNodeInfo("127.0.0.1", ours.port)).motd).toBe("tox-bootstrapd");
    expect(await ours.stop()).toBe(0);
  });

  it("leaves a keys file that tox-bootstrapd has the same key with", async () => {
    await using scratch = await Scratch.make();
    await using ours = await NodeProgram.start("--keys", scratch.path("keys"), "--port", "0", "--no-ipv6");
    expect(await ours.stop()).toBe(0);
    await using theirs = await startBootstrapd({ keysFile: scratch.path("keys") });
    expect(theirs.publicKey).toBe(ours.publicKey);
  });
});

class Scratch implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(): Promise<Scratch> {
    return new Scratch(await mkdtemp(join(tmpdir(), "toxcore-ts-node-")));
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** In the form of tox-bootstrapd.conf as it is shipped: every key of it, no separators, comments between; our own paths. */
function exampleConfiguration(scratch: Scratch): string {
  return `// Tox DHT bootstrap daemon configuration file.

// UDP.
port = 33445

keys_file_path = "${scratch.path("keys")}"

pid_file_path = "${scratch.path("pid")}"

enable_ipv6 = true

enable_ipv4_fallback = true

enable_lan_discovery = true

enable_tcp_relay = false

// Usual ports.
tcp_relay_ports = [443, 3389, 33445]

enable_motd = true

motd = "tox-bootstrapd"

// Any number of nodes.
//
// address = an address or a name.
bootstrap_nodes = (
  { // IPv4
    address = "127.0.0.1"
    port = 9
    public_key = "728925473812C7AAC482BE7250BCCAD0B8CB9F737BF3D42ABD34459C1768F854"
  },
  { // IPv6, with a length that no address has: skipped
    address = "::1/128"
    port = 9
    public_key = "3E78BACF0F84235B30054B54898F56793E1DEF8BD46B1038B9D822E8460FAB67"
  }
)
`;
}
