import type { ToxEnv } from "../../src/core.ts";
import type { ConnectOptions, StreamPort, StreamSocket, StreamTarget } from "../../src/env/stream.ts";
import { literalResolver, noDatagrams } from "../../src/node/proxy_edges.ts";
import type { SimHost } from "../../src/testing/index.ts";
import { concatBytes } from "../../src/util/bytes.ts";
import { formatAddress, makeEndpoint } from "../../src/util/endpoint.ts";
import { ToxError } from "../../src/util/tox_error.ts";
import type { ProxyMode } from "./proxy_modes.ts";

const PORT = 1080;
const BY_NAME = 3;
const CONNECT_TIMEOUT = 10_000;
const GREETING = Uint8Array.of(5, 1, 0);
const WELCOME = Uint8Array.of(5, 0);
const CONNECTED = Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0);
const REFUSED = Uint8Array.of(5, 2, 0, 1, 0, 0, 0, 0, 0, 0);

/** A SOCKS5 proxy (RFC 1928, no login, names alone) on a simulated host, and the way through it. */
export class SimulatedProxy {
  readonly host: SimHost;
  /** What was asked for, as `host:port`, in order. */
  readonly targets: string[] = []; // bounded by the test
  mode: ProxyMode = "relay";

  /** It serves from `start` on. */
  constructor(host: SimHost) {
    this.host = host;
  }

  async start(): Promise<void> {
    const listener = await this.host.edges.streams.listen({ family: 4, port: PORT });
    listener.onConnection = (client) => this.#serve(client);
  }

  /** What an instance has on a host where everything goes through the proxy: neither UDP nor the resolver. */
  edgesOf(host: SimHost): Pick<ToxEnv, "datagrams" | "resolver" | "streams"> {
    const streams: StreamPort = {
      connect: (to, options) => this.#connectThrough(host, to, options),
      async listen() {
        throw new ToxError("network-unavailable", "With a proxy nobody can connect to us.");
      },
    };
    return { datagrams: noDatagrams, resolver: literalResolver, streams };
  }

  #serve(client: StreamSocket): void {
    const conversation = new Conversation(client);
    if (this.mode === "hang") return;
    if (this.mode === "nonsense") {
      client.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
      client.close();
      return;
    }
    conversation.next(GREETING.length, () => {
      client.write(WELCOME.slice());
      conversation.next(5, (head) => {
        const nameSize = head[4] ?? 0;
        conversation.next(nameSize + 2, (rest) => {
          const port = ((rest[nameSize] ?? 0) << 8) | (rest[nameSize + 1] ?? 0);
          this.#relay(client, conversation, new TextDecoder().decode(rest.subarray(0, nameSize)), port);
        });
      });
    });
  }

  #relay(client: StreamSocket, conversation: Conversation, host: string, port: number): void {
    this.targets.push(`${host}:${port}`);
    const refuse = () => {
      client.write(REFUSED.slice());
      client.close();
    };
    if (this.mode === "refuse") {
      refuse();
      return;
    }
    this.host.edges.streams.connect({ host, port }, { timeoutMs: CONNECT_TIMEOUT }).then((onward) => {
      client.write(CONNECTED.slice());
      pipe(onward, client);
      conversation.pipeTo(onward);
    }, refuse);
  }

  async #connectThrough(host: SimHost, to: StreamTarget, options: ConnectOptions): Promise<StreamSocket> {
    const { streams, clock } = host.edges;
    const failed = (why: string) => new ToxError("proxy-failed", `No connection through the proxy (${why}).`);
    const aborted = () => new ToxError("aborted", "Connecting was given up.");
    const address = makeEndpoint(this.host.addressOf(4) as Uint8Array, PORT);
    const stream = await streams.connect(address, options).catch((error: unknown) => {
      if (error instanceof ToxError && error.code === "aborted") throw error;
      throw failed("it is not there");
    });
    return new Promise((resolve, reject) => {
      const conversation = new Conversation(stream);
      const giveUp = (error: ToxError) => {
        end();
        stream.close();
        reject(error);
      };
      const abort = () => giveUp(aborted());
      const cancel = clock.at(clock.monotonic() + options.timeoutMs, () => giveUp(failed("no answer")));
      const end = () => {
        cancel();
        options.signal?.removeEventListener("abort", abort);
      };
      options.signal?.addEventListener("abort", abort, { once: true });
      if (options.signal?.aborted) return abort();
      stream.onEnd = () => giveUp(failed("it hung up"));
      stream.write(GREETING.slice());
      conversation.next(WELCOME.length, (welcome) => {
        if (welcome[0] !== 5 || welcome[1] !== 0) return giveUp(failed("it is no SOCKS5 proxy"));
        const name = new TextEncoder().encode("host" in to ? to.host : formatAddress(to.address));
        const head = Uint8Array.of(5, 1, 0, BY_NAME, name.length);
        stream.write(concatBytes(head, name, Uint8Array.of(to.port >> 8, to.port & 0xff)));
        conversation.next(CONNECTED.length, (answer) => {
          if (answer[1] !== 0) return giveUp(failed(`it answered ${answer[1]}`));
          end();
          resolve(conversation.handOver());
        });
      });
    });
  }
}

/** Reads so many bytes, and so many more, from a stream. */
class Conversation {
  readonly #stream: StreamSocket;
  #held: Uint8Array = new Uint8Array(0);
  #wanted = 0;
  #then: ((bytes: Uint8Array) => void) | undefined;

  constructor(stream: StreamSocket) {
    this.#stream = stream;
    stream.onData = (bytes) => {
      this.#held = concatBytes(this.#held, bytes);
      this.#read();
    };
  }

  next(size: number, then: (bytes: Uint8Array) => void): void {
    this.#wanted = size;
    this.#then = then;
    this.#read();
  }

  /** What comes from here on goes to the other. */
  pipeTo(other: StreamSocket): void {
    if (this.#held.length > 0) other.write(this.#held);
    pipe(this.#stream, other);
  }

  /** The stream as its new owner sees it: he does not know where it leads. */
  handOver(): StreamSocket {
    this.#stream.onData = undefined;
    this.#stream.onEnd = undefined;
    return this.#held.length === 0 ? hiddenRemote(this.#stream) : this.#tooEarly();
  }

  #tooEarly(): never {
    throw new Error("The other end spoke before it was asked: Tox relays do not.");
  }

  #read(): void {
    const then = this.#then;
    if (then === undefined || this.#held.length < this.#wanted) return;
    const bytes = this.#held.slice(0, this.#wanted);
    this.#held = this.#held.slice(this.#wanted);
    this.#then = undefined;
    then(bytes);
  }
}

/** What comes from one goes to the other, not faster than the other takes it. */
function pipe(from: StreamSocket, to: StreamSocket): void {
  let held: Uint8Array | undefined;
  from.onData = (bytes) => {
    const copy = bytes.slice();
    held = held === undefined ? copy : concatBytes(held, copy);
    if (to.write(held.slice())) held = undefined;
    else from.pause();
  };
  to.onWritable = () => {
    if (held !== undefined && to.write(held.slice())) held = undefined;
    if (held === undefined) from.resume();
  };
  from.onEnd = () => to.close();
}

function hiddenRemote(stream: StreamSocket): StreamSocket {
  return new Proxy(stream, {
    get(target, name) {
      if (name === "remote") return undefined;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
}
