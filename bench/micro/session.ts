import { Crypto } from "../../src/crypto/crypto.ts";
import type { Nonce } from "../../src/crypto/keys.ts";
import { DataChannel } from "../../src/net_crypto/data_channel.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import type { LinkProperties } from "../../src/testing/link.ts";
import { MAX_SESSION_DATA_SIZE } from "../../src/wire/net_crypto/crypto_data.ts";
import { callRows, type Part, type PartRow } from "./part.ts";
import { random } from "./quiet.ts";
import { linkedPair, wiredPair } from "./session_pair.ts";
import { spend } from "./simulated.ts";

type Calls = Record<string, () => unknown>;

const MIB = 1024 * 1024;
const MESSAGE_ID = 64;
const LOSSY_ID = 200;

export const session: Part = {
  name: "session",
  about: "encrypted sessions: a packet over a wire that costs nothing, and bulk over simulated links",
  async *rows(effort) {
    yield* callRows(effort, channels());
    yield* callRows(effort, packets());
    for (const link of LINKS) yield await bulk(link, effort.share);
  },
};

/** Encryption alone: what a session cannot be faster than. */
function channels(): Calls {
  const crypto = new Crypto(sodiumProvider, random);
  const [key, nonce, peer] = [crypto.symmetricKey(), crypto.nonce(), crypto.keyPair().publicKey];
  const sending = new DataChannel(crypto, key, nonce.slice() as Uint8Array as Nonce, peer, nonce);
  const receiving = new DataChannel(crypto, key, crypto.nonce(), peer, nonce);
  const plain = new Uint8Array(MAX_SESSION_DATA_SIZE + 8);
  const [packet, opened] = [new Uint8Array(2048), new Uint8Array(2048)];
  return {
    "encryption alone: seal and open a full packet": () => {
      const size = sending.seal(packet, plain);
      const result = receiving.open(packet.subarray(0, size), opened);
      if (result !== plain.length) throw new Error(`The packet was not opened: ${result}.`);
    },
  };
}

/** The sender's and the receiver's work together, and their share of the acknowledgements. */
function packets(): Calls {
  const { sender, received, carry } = wiredPair();
  const send = (packet: Uint8Array, how: (packet: Uint8Array) => boolean) => () => {
    const before = received.packets;
    how(packet);
    carry();
    if (received.packets === before) throw new Error("The packet has not arrived.");
  };
  const lossless = (packet: Uint8Array) => sender.send(packet, "message");
  return {
    "lossless, 20 bytes": send(packetOf(MESSAGE_ID, 20), lossless),
    "lossless, 1,373 bytes": send(packetOf(MESSAGE_ID, MAX_SESSION_DATA_SIZE), lossless),
    "lossy, 200 bytes": send(packetOf(LOSSY_ID, 200), (packet) => sender.sendLossy(packet)),
  };
}

function packetOf(id: number, size: number): Uint8Array {
  return new Uint8Array(size).fill(id, 0, 1);
}

interface BenchLink {
  readonly name: string;
  /** Mbit/s. */
  readonly rate: number | undefined;
  readonly roundTrip: number;
  readonly loss: number;
  /** MiB in a full run. */
  readonly amount: number;
}

/** Those of the project's targets. */
const LINKS: readonly BenchLink[] = [
  { name: "no limit, 1 ms", rate: undefined, roundTrip: 1, loss: 0, amount: 64 },
  { name: "100 Mbit/s, 20 ms", rate: 100, roundTrip: 20, loss: 0, amount: 64 },
  { name: "100 Mbit/s, 60 ms, 1 % loss", rate: 100, roundTrip: 60, loss: 0.01, amount: 64 },
  { name: "20 Mbit/s, 100 ms", rate: 20, roundTrip: 100, loss: 0, amount: 24 },
  { name: "10 Mbit/s, 200 ms, 2 % loss", rate: 10, roundTrip: 200, loss: 0.02, amount: 16 },
];
/** Full packets that a link's queue holds. */
const QUEUE = 256;

/** How fast bulk goes over a link in virtual time, from the first packet to the last, and what it costs in real time. */
async function bulk({ name, rate, roundTrip, loss, amount }: BenchLink, share: number): Promise<PartRow> {
  const bandwidth = rate === undefined ? undefined : (rate * 1_000_000) / 8;
  const latency = [roundTrip / 2, roundTrip / 2] as const;
  const link: Partial<LinkProperties> = { latency, loss, bandwidth, queue: QUEUE * 1400 };
  const { universe, sender, received } = await linkedPair(link);
  const packet = packetOf(MESSAGE_ID, MAX_SESSION_DATA_SIZE);
  const count = Math.ceil((amount * share * MIB) / packet.length);
  let left = count;
  const { virtualMs, cpuMs, bytes, datagrams } = await spend(universe, async () => {
    sender.setBulkSource(() => (left-- > 0 ? packet : undefined));
    await universe.runUntil(() => received.packets === count, { timeout: 600_000, what: "the last packet" });
  });
  const speed = received.bytes / (virtualMs / 1000);
  return {
    work: `bulk over ${name}`,
    figures: {
      ...(bandwidth && { "% of the link": (100 * speed) / bandwidth, "virtual MiB/s": speed / MIB }),
      "MiB a CPU second": received.bytes / MIB / (cpuMs / 1000),
      "CPU µs a packet": (cpuMs * 1000) / count,
      "bytes a packet": bytes / count,
      "datagrams a packet": datagrams / count,
    },
  };
}
