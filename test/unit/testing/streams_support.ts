import type { StreamSocket } from "../../../src/env/stream.ts";
import { type HostOptions, type LinkProperties, type SimHost, Universe } from "../../../src/testing/index.ts";

export const PORT = 443;

/** What one end heard. */
export class Ears {
  readonly pieces: number[][] = [];
  ends: string[] = [];
  writable = 0;
  /** Bytes heard. */
  length = 0;

  constructor(stream: StreamSocket) {
    stream.onData = (bytes) => {
      this.pieces.push([...bytes]);
      this.length += bytes.length;
    };
    stream.onEnd = (reason) => void this.ends.push(reason);
    stream.onWritable = () => void this.writable++;
  }

  get bytes(): number[] {
    return this.pieces.flat();
  }
}

export interface StreamPair {
  readonly universe: Universe;
  readonly alice: SimHost;
  readonly bob: SimHost;
  readonly out: StreamSocket;
  readonly into: StreamSocket;
  readonly aliceHears: Ears;
  readonly bobHears: Ears;
}

export interface PairOptions {
  readonly seed?: number;
  readonly link?: Partial<LinkProperties>;
  readonly alice?: HostOptions;
  readonly queueLimit?: number;
}

/** Alice connected to Bob, who listens. */
export async function streamPair(options: PairOptions = {}): Promise<StreamPair> {
  const universe = new Universe({ seed: options.seed ?? 3, link: { latency: [20, 20], ...options.link } });
  universe.trace.start();
  const alice = universe.host("alice", options.alice);
  const bob = universe.host("bob");
  return { universe, alice, bob, ...(await join(universe, alice, bob, options.queueLimit)) };
}

export async function join(universe: Universe, from: SimHost, to: SimHost, queueLimit = 256 * 1024) {
  const listener = await to.edges.streams.listen({ family: 4, port: PORT, queueLimit });
  let into: StreamSocket | undefined;
  let bobHears: Ears | undefined;
  listener.onConnection = (stream) => {
    into = stream;
    bobHears = new Ears(stream);
  };
  const out = await universe.wait(from.edges.streams.connect(to.endpoint(PORT), { timeoutMs: 30_000, queueLimit }));
  const aliceHears = new Ears(out);
  await universe.runUntil(() => into !== undefined, { timeout: 600_000 });
  listener.close();
  return { out, into: into as StreamSocket, aliceHears, bobHears: bobHears as Ears };
}

/** Bytes of which each tells its place. */
export const counted = (length: number, from = 0) => Uint8Array.from({ length }, (_, i) => (from + i) % 251);
