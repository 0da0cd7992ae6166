import type { KeyPair } from "../../src/crypto/keys.ts";
import type { RelayServer } from "../../src/relay/relay_server.ts";
import { toHex } from "../../src/util/bytes.ts";
import { type Client, Rogue, World } from "../../test/unit/relay/world.ts";
import { expectThat } from "./broken.ts";
import { computed } from "./unhurried.ts";

/** Small, so that an input reaches them. */
const LIMITS = { handshakes: 24, unconfirmed: 24, clients: 64, pendingPerAddress: 6, clientsPerAddress: 8 };
const QUEUE_BYTES = 8192;

/** A relay, and those who connect to it: what arrives at each is checked against what the others did. */
export class RelayLab {
  readonly world = new World();
  readonly keys: readonly KeyPair[] = Array.from({ length: 6 }, () => this.world.crypto.keyPair());
  readonly rogues: Rogue[] = [];
  slowest = 0;
  #server: RelayServer | undefined;
  /** Who has asked for whom: both keys in hex. */
  readonly #asked = new Set<string>();

  async start(): Promise<void> {
    this.#server = await this.world.relay({ limits: { ...LIMITS, queueBytes: QUEUE_BYTES } });
  }

  /** A client with these keys, whose handshake is on its way. */
  async join(address: readonly number[], keys: KeyPair): Promise<void> {
    this.rogues.push(new Rogue(this.world, await this.world.connect(address), keys));
    await this.pass(4);
  }

  async pass(ms: number): Promise<void> {
    const start = computed();
    await this.world.run(ms);
    // Whatever the time, the relay had several packets to handle in it.
    this.slowest = Math.max(this.slowest, (computed() - start) / 20);
    for (const rogue of this.rogues) this.#check(rogue);
  }

  say(from: Rogue, packet: Uint8Array): void {
    if (packet[0] === 0) this.#asked.add(`${toHex(from.key)} ${toHex(packet.subarray(1, 33))}`);
    // Data names its author here, also when it began as another packet.
    if ((packet[0] ?? 0) >= 16 && packet.length >= 33) packet.set(from.key, 1);
    from.stream.send(packet);
  }

  /** Two honest clients find each other and talk, whatever has happened; at the end nothing is left. */
  async close(): Promise<void> {
    const { world } = this;
    const server = this.#server;
    expectThat(server !== undefined && server.connectionCount <= LIMITS.clients, "too many clients");
    await this.pass(11_000);
    const pair: [Client, Client] = [world.client([10, 9, 9, 1]), world.client([10, 9, 9, 2])];
    await this.pass(20);
    pair[0].relay.requestRoute(pair[1].key);
    pair[1].relay.requestRoute(pair[0].key);
    await this.pass(20);
    expectThat(pair[0].relay.sendTo(pair[1].key, Uint8Array.of(1, 2, 3)), "an honest client has no way to another");
    await this.pass(20);
    expectThat(pair[1].packets.length === 1, "an honest client does not reach another");
    for (const { relay } of pair) relay.close();
    for (const rogue of this.rogues) rogue.stream.close();
    server.close();
    await this.pass(1000);
    expectThat(server.connectionCount === 0, "clients are left after the end");
    expectThat(world.clock.pending === 0, () => `${world.clock.pending} timers are left after the end`);
  }

  /** Data comes from whom it says, to whom has asked for him, and he for him. */
  #check(rogue: Rogue): void {
    const own = toHex(rogue.key);
    for (const packet of rogue.packets.splice(0)) {
      const [id = 0] = packet;
      const author = id === 7 ? packet.subarray(33, 65) : id >= 16 ? packet.subarray(1, 33) : undefined;
      const sender = author && this.keys.find(({ publicKey }) => toHex(publicKey) === toHex(author));
      if (sender === undefined) continue;
      const name = toHex(sender.publicKey);
      if (id === 7) {
        expectThat(toHex(packet.subarray(1, 33)) === name, "an out-of-band packet comes under another's key");
        continue;
      }
      expectThat(this.#asked.has(`${own} ${name}`), "data comes from somebody who was not asked for");
      expectThat(this.#asked.has(`${name} ${own}`), "data comes from somebody who did not ask");
    }
  }
}
