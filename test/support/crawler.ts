import type { BootstrapNode } from "../../src/core.ts";
import { Crypto } from "../../src/crypto/crypto.ts";
import { asPublicKey, type KeyPair, type PublicKey } from "../../src/crypto/keys.ts";
import type { DatagramSocket, Endpoint } from "../../src/env/datagram.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import type { SimHost } from "../../src/testing/index.ts";
import { fromHex, toHex } from "../../src/util/bytes.ts";
import { formatEndpoint, makeEndpoint, parseAddress } from "../../src/util/endpoint.ts";
import type { PackedNode } from "../../src/wire/packed_node.ts";
import { Forge } from "./forge.ts";
import { readNodesAnswer } from "./nodes_answer.ts";
import type { Story } from "./people.ts";

/** Questions that were not answered are asked again after so many ms. */
const AGAIN_MS = 1_000;
/** Each node is asked who is near each of so many places, spread evenly over the keys there are. */
const PLACES = 16;

interface Question {
  readonly packet: Uint8Array;
  readonly to: Endpoint;
}

/** Learns of every node there is by asking each it hears of for others. Serves nobody, and is no node itself. */
export class Crawler {
  /** Where each node is that has answered, by its DHT key in hex. */
  readonly found = new Map<string, string>(); // bounded by the nodes there are
  readonly #host: SimHost;
  readonly #socket: DatagramSocket;
  readonly #crypto: Crypto;
  readonly #self: KeyPair;
  readonly #open = new Map<bigint, Question>(); // bounded by PLACES + 1 for each node
  readonly #heardOf = new Set<string>(); // bounded by the nodes there are
  #asked = 0n;

  private constructor(host: SimHost, socket: DatagramSocket) {
    this.#host = host;
    this.#socket = socket;
    this.#crypto = new Crypto(sodiumProvider, host.edges.random);
    this.#self = this.#crypto.keyPair();
    socket.onDatagram = (bytes, from) => this.#hear(bytes, from);
  }

  static async start(story: Story, name: string): Promise<Crawler> {
    const host = story.universe.host(name);
    return new Crawler(host, await story.universe.wait(host.bind({ family: 4, port: 33445 })));
  }

  begin({ host, port, publicKey }: BootstrapNode): void {
    const [address, key] = [parseAddress(host), fromHex(publicKey)];
    if (address === undefined || key === undefined) throw new Error("The crawler takes an address and a key.");
    this.#learn({ publicKey: asPublicKey(key), endpoint: makeEndpoint(address, port) });
    this.#askAgain();
  }

  #askAgain(): void {
    for (const sendback of this.#open.keys()) this.#ask(sendback);
    this.#host.edges.clock.at(this.#host.edges.clock.monotonic() + AGAIN_MS, () => this.#askAgain());
  }

  #learn({ publicKey, endpoint }: PackedNode): void {
    const key = toHex(publicKey);
    if (this.#heardOf.has(key)) return;
    this.#heardOf.add(key);
    const forge = new Forge(this.#crypto, { dht: publicKey, self: publicKey });
    for (const target of [publicKey, ...places()]) {
      const sendback = ++this.#asked;
      this.#open.set(sendback, { packet: forge.nodesRequest(this.#self, target, sendback), to: endpoint });
      this.#ask(sendback);
    }
  }

  #ask(sendback: bigint): void {
    const question = this.#open.get(sendback);
    if (question === undefined) return;
    const buffer = this.#socket.acquire();
    buffer.set(question.packet);
    this.#socket.send(buffer, question.packet.length, question.to);
  }

  #hear(bytes: Uint8Array, from: Endpoint): void {
    const answer = readNodesAnswer(this.#crypto, this.#self.secretKey, bytes);
    if (answer === undefined) return;
    const key = toHex(answer.sender);
    if (!this.#heardOf.has(key) || !this.#open.delete(answer.sendback)) return;
    this.found.set(key, formatEndpoint(from));
    for (const node of answer.nodes) this.#learn(node);
  }
}

function places(): PublicKey[] {
  return Array.from({ length: PLACES }, (_, i) => {
    const place = new Uint8Array(32).fill(0x88);
    place[0] = Math.floor((256 * (i + 0.5)) / PLACES);
    return asPublicKey(place);
  });
}
