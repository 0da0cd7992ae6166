import type { BootstrapNode } from "./bootstrap_node.ts";
import { asPublicKey, type PublicKey } from "./crypto/keys.ts";
import type { Cancel } from "./env/clock.ts";
import type { StreamTarget } from "./env/stream.ts";
import type { ToxEnv } from "./tox_env.ts";
import type { Floors } from "./tox_floors.ts";
import { expectPort, type ToxOptions } from "./tox_options.ts";
import { fromHex } from "./util/bytes.ts";
import { formatEndpoint, makeEndpoint, parseAddress } from "./util/endpoint.ts";
import { ToxError } from "./util/tox_error.ts";

/** When no node has answered over UDP for so long, in ms, it is tried over TCP as well; or we say what is lacking. */
const PATIENCE = 2_000;

type Below = Pick<Floors, "network" | "dht" | "relays" | "onionClient">;

/** The nodes and relays that the app names: how one instance comes into the network. */
export class WaysIn {
  readonly #env: Pick<ToxEnv, "clock" | "logger" | "resolver">;
  readonly #floors: Below;
  readonly #waits = new Set<Cancel>(); // one for each node that the app names, for a few seconds
  #warnsOfNoWay = true;
  #closed = false;

  constructor(env: Pick<ToxEnv, "clock" | "logger" | "resolver">, floors: Below) {
    this.#env = env;
    this.#floors = floors;
  }

  /** Takes what the options name, in the next turn; what cannot be used is a warning. */
  start({ bootstrap = [], relays = [] }: Pick<ToxOptions, "bootstrap" | "relays">): void {
    this.#later(0, () => {
      for (const node of relays) this.#addRelayInBackground(node);
      for (const node of bootstrap) this.#bootstrapInBackground(node);
    });
  }

  /**
   * Asks a node for the way into the network; it is asked again until somebody answers. Behind a proxy a node that is given
   * by name serves as a relay only: name one by its address, too. Rejects with `host-not-found`, `invalid-argument` or
   * `weak-key`.
   */
  async bootstrap(node: BootstrapNode): Promise<void> {
    const publicKey = publicKeyOf(checkedBootstrapNode(node).publicKey);
    if (this.#floors.dht.sharedKeys.get(publicKey) === undefined) {
      throw new ToxError("weak-key", "This is no node's key: nothing can be kept secret with it.");
    }
    this.#addAsRelay(node, publicKey);
    const addresses = await this.#env.resolver.resolve(node.host);
    if (this.#closed) return;
    for (const address of addresses) {
      const endpoint = makeEndpoint(address, node.port);
      this.#floors.onionClient.startFrom({ publicKey, endpoint });
      if (!this.#floors.network.has(endpoint.family)) continue;
      this.#env.logger.info("asking a node", { node: formatEndpoint(endpoint), publicKey: node.publicKey });
      this.#floors.dht.bootstrap(endpoint, publicKey);
    }
  }

  /**
   * A node that carries packets over TCP, on its `tcpPorts` or else on its port: where UDP does not work we are found and
   * find others over it. Throws `invalid-argument` or `weak-key`, and `network-unavailable` where there is no TCP.
   */
  addRelay(node: BootstrapNode): void {
    const publicKey = publicKeyOf(checkedBootstrapNode(node).publicKey);
    if (this.#floors.dht.sharedKeys.get(publicKey) === undefined) {
      throw new ToxError("weak-key", "This is no relay's key: nothing can be kept secret with it.");
    }
    if (this.#floors.relays === undefined) {
      throw new ToxError("network-unavailable", "There is no TCP here: pass `streams` in the instance's environment.");
    }
    for (const address of tcpTargets(node)) this.#floors.relays.addRelay({ publicKey, address });
    this.#warnOfNoWay();
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#waits) cancel();
    this.#waits.clear();
  }

  #bootstrapInBackground(node: BootstrapNode): void {
    this.bootstrap(node).catch((error: unknown) => {
      this.#env.logger.warn("a bootstrap node cannot be used", { host: node.host, reason: String(error) });
    });
  }

  #addRelayInBackground(node: BootstrapNode): void {
    try {
      this.addRelay(node);
    } catch (error) {
      this.#env.logger.warn("a relay cannot be used", { host: node.host, reason: String(error) });
    }
  }

  /** Most nodes are relays as well: that is tried where relays are needed, or UDP brings no answer. */
  #addAsRelay(node: BootstrapNode, publicKey: PublicKey): void {
    const { relays, dht } = this.#floors;
    if (relays === undefined) return;
    for (const address of tcpTargets(node)) relays.addNode({ publicKey, address });
    this.#warnOfNoWay();
    this.#later(PATIENCE, () => {
      if (!dht.connected) relays.need(true);
    });
  }

  /** Relays alone are no way to anybody: what they pass on goes to nodes, by their addresses. */
  #warnOfNoWay(): void {
    if (!this.#warnsOfNoWay || this.#floors.network.port !== 0) return;
    this.#warnsOfNoWay = false;
    this.#later(PATIENCE, () => {
      if (this.#floors.onionClient.knowsNodes) return;
      const advice = "name one by its address instead of its name (--bootstrap, --nodes or --public-nodes)";
      this.#env.logger.warn(`no node's address is known, so nobody can be found over the relays: ${advice}`);
    });
  }

  #later(afterMs: number, fn: () => void): void {
    const { clock } = this.#env;
    const cancel = clock.at(clock.monotonic() + afterMs, () => {
      this.#waits.delete(cancel);
      fn();
    });
    this.#waits.add(cancel);
  }
}

/** A name stays one: whoever connects looks it up, or the proxy does. */
function streamTarget({ host, port }: BootstrapNode): StreamTarget {
  const address = parseAddress(host);
  return address === undefined ? { host, port } : makeEndpoint(address, port);
}

function tcpTargets(node: BootstrapNode): StreamTarget[] {
  return (node.tcpPorts ?? [node.port]).map((port) => streamTarget({ ...node, port }));
}

/** Throws `invalid-argument`. */
export function publicKeyOf(hex: string): PublicKey {
  const bytes = fromHex(hex);
  if (bytes?.length !== 32) throw new ToxError("invalid-argument", "Give a public key as 64 hex digits.");
  return asPublicKey(bytes);
}

/** The node as it is; throws `invalid-argument` where it is none. */
export function checkedBootstrapNode(node: BootstrapNode): BootstrapNode {
  publicKeyOf(node.publicKey);
  for (const port of [node.port, ...(node.tcpPorts ?? [])]) expectPort(port, 1);
  if (node.host === "") throw new ToxError("invalid-argument", "Name the bootstrap node's host.");
  return node;
}
