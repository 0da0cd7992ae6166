import { hexOf, type Match } from "./mailbox.ts";
import type {
  ConnectionState,
  EventName,
  FileControlName,
  LogLevel,
  Method,
  Methods,
  PeerEvent,
  ProxyParams,
  ReadyInfo,
  UserStatus,
} from "./peer/protocol.ts";
import { PeerCalls } from "./peer_calls.ts";
import { PeerProcess } from "./peer_process.ts";

export { describeInterop, libtoxcoreAvailable, libtoxcoreVersion } from "./available.ts";
export { type Bootstrapd, type BootstrapdOptions, startBootstrapd } from "./bootstrapd.ts";
export type { Match } from "./mailbox.ts";
export { type ConnectionState, type EventName, monotonicMs, type PeerEvent, type UserStatus } from "./peer/protocol.ts";
export { callBits, type PeerCalls } from "./peer_calls.ts";
export { ToxcoreError } from "./peer_process.ts";

/** Hex in any case, or the bytes. */
export type Bytes = string | Uint8Array;

/** Where a DHT node listens: what `bootstrap` takes, and what peers and bootstrap daemons give. */
export interface DhtNode {
  host: string;
  port: number;
  publicKey: Bytes;
}

export interface ToxcorePeerOptions {
  /** How error messages name this peer. Default: `toxcore`. */
  label?: string;
  /** Default: off. */
  ipv6?: boolean;
  /** Default: on. Off, it lives by TCP relays alone. */
  udp?: boolean;
  /** For TCP. toxcore knows no password. Default: none. */
  proxy?: ProxyParams;
  /** Default: on, as in toxcore. */
  holePunching?: boolean;
  /** libtoxcore binds the first free port from here to `endPort`. Default: a random range of 100 ports. */
  startPort?: number;
  /** Default: `startPort` + 100 if that is random, else `startPort`: exactly that port. */
  endPort?: number;
  /** What `savedata()` of an earlier peer gave. */
  savedata?: Uint8Array;
  /** A new profile with this secret key, 32 bytes. Not together with `savedata`. */
  secretKey?: Bytes;
  /** Iterate every millisecond; default: as often as `tox_iteration_interval` says, like real clients. */
  busy?: boolean;
  /** Have calls, see `ToxcorePeer.calls`. Default: off. */
  av?: boolean;
  /** toxcore's own log from this level on, to this process's standard error. */
  log?: LogLevel;
  /** Another libtoxcore: a file or soname. Default: `LIBTOXCORE` of the environment, then the system's. */
  library?: string;
  /** Network namespace to run in (root only). */
  netns?: string;
  /** LAN discovery, in a namespace only: nothing is sent to the machine's own networks. Default: off. */
  localDiscovery?: boolean;
}

const SEND_MANY_TIMEOUT_MS = 120_000;
const WAIT_TIMEOUT_MS = 30_000;

/**
 * The C library, running in a child process: a real Tox peer to test against.
 *
 * A friend is named by public key. What the peer reports comes in as events, kept until `waitFor` takes them.
 * A C call that fails rejects with `ToxcoreError`. If the process dies, whatever is pending rejects and says so.
 */
export class ToxcorePeer implements AsyncDisposable {
  readonly version: string;
  readonly publicKey: string;
  /** The temporary DHT key of this run. */
  readonly dhtId: string;
  readonly udpPort: number;
  /** Resolves to how the process ended (`exit code 0`, `signal SIGKILL`). */
  readonly exited: Promise<string>;

  /** Only with the option `av`. */
  readonly calls: PeerCalls;

  readonly #process: PeerProcess;
  #address: string;

  private constructor(process: PeerProcess, info: ReadyInfo) {
    this.#process = process;
    this.version = info.version;
    this.publicKey = info.publicKey;
    this.dhtId = info.dhtId;
    this.udpPort = info.udpPort;
    this.#address = info.address;
    this.exited = process.exited;
    this.calls = new PeerCalls((method, params) => this.#call(method, params));
  }

  /** Resolves when the instance exists and its socket is bound. */
  static async start(options: ToxcorePeerOptions = {}): Promise<ToxcorePeer> {
    const { library = process.env.LIBTOXCORE, savedata, secretKey, log } = options;
    const localDiscovery = options.localDiscovery ?? false;
    if (localDiscovery && options.netns === undefined) throw new Error("LAN discovery needs a network namespace.");
    const peer = new PeerProcess(options.label ?? "toxcore", options.netns, options.av);
    const info = await peer.create({
      ...portRange(options),
      ipv6: options.ipv6 ?? false,
      udp: options.udp ?? true,
      holePunching: options.holePunching ?? true,
      busy: options.busy ?? false,
      ...(options.av && { av: true }),
      ...(options.proxy && { proxy: options.proxy }),
      ...(localDiscovery && { localDiscovery }),
      ...(library === undefined ? {} : { library }),
      ...(savedata === undefined ? {} : { savedata: hexOf(savedata) }),
      ...(secretKey === undefined ? {} : { secretKey: hexOf(secretKey) }),
      ...(log === undefined ? {} : { log }),
    });
    return new ToxcorePeer(peer, info);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The Tox ID, 76 hex digits: the one of now, as `setNospam` changes it. */
  get address(): string {
    return this.#address;
  }

  /** This peer as a node on loopback to bootstrap from. */
  get dhtNode(): DhtNode & { publicKey: string } {
    return { host: "127.0.0.1", port: this.udpPort, publicKey: this.dhtId };
  }

  async bootstrap({ host, port, publicKey }: DhtNode): Promise<void> {
    await this.#call("bootstrap", { host, port, publicKey: hexOf(publicKey) });
  }

  /** Of a TCP relay, `port` is its TCP port. */
  async addTcpRelay({ host, port, publicKey }: DhtNode): Promise<void> {
    await this.#call("addTcpRelay", { host, port, publicKey: hexOf(publicKey) });
  }

  async connectionStatus(): Promise<ConnectionState> {
    return (await this.#call("connectionStatus", {})).state;
  }

  /** Gives the friend's public key. */
  async friendAdd(address: Bytes, message: string): Promise<string> {
    return (await this.#call("friendAdd", { address: hexOf(address), message })).friend;
  }

  /** Adds without a request, or accepts one. Gives the friend's public key. */
  async friendAddNorequest(publicKey: Bytes): Promise<string> {
    return (await this.#call("friendAddNorequest", { publicKey: hexOf(publicKey) })).friend;
  }

  async friendDelete(friend: Bytes): Promise<void> {
    await this.#call("friendDelete", { friend: hexOf(friend) });
  }

  /** Public keys. */
  async friends(): Promise<string[]> {
    return (await this.#call("friends", {})).friends;
  }

  async friendConnectionStatus(friend: Bytes): Promise<ConnectionState> {
    return (await this.#call("friendConnectionStatus", { friend: hexOf(friend) })).state;
  }

  /** Unix seconds, 0 for never. */
  async lastOnline(friend: Bytes): Promise<number> {
    return (await this.#call("lastOnline", { friend: hexOf(friend) })).lastOnline;
  }

  async setName(name: string): Promise<void> {
    await this.#call("setName", { name });
  }

  async setStatusMessage(statusMessage: string): Promise<void> {
    await this.#call("setStatusMessage", { statusMessage });
  }

  async setStatus(status: UserStatus): Promise<void> {
    await this.#call("setStatus", { status });
  }

  /** `nospam` as an u32 whose hex digits stand in the address. Gives the new address. */
  async setNospam(nospam: number): Promise<string> {
    this.#address = (await this.#call("setNospam", { nospam })).address;
    return this.#address;
  }

  async setTyping(friend: Bytes, on: boolean): Promise<void> {
    await this.#call("setTyping", { friend: hexOf(friend), on });
  }

  /** Gives the message id that the `receipt` event will carry. Bytes need not be valid UTF-8. */
  async send(friend: Bytes, content: string | Uint8Array, { action = false } = {}): Promise<number> {
    const body = typeof content === "string" ? { text: content } : { hex: hexOf(content) };
    return (await this.#call("send", { friend: hexOf(friend), ...body, action })).messageId;
  }

  /**
   * Sends `prefix0`, `prefix1`, ... as fast as the send queue takes them, trying again whenever it is full.
   * Resolves when all are accepted; `sendqFull` says how often it was full.
   */
  sendMany(
    friend: Bytes,
    prefix: string,
    count: number,
    timeoutMs: number = SEND_MANY_TIMEOUT_MS,
  ): Promise<{ messageIds: number[]; sendqFull: number }> {
    return this.#call("sendMany", { friend: hexOf(friend), prefix, count }, timeoutMs);
  }

  /** Sends `prefix0`, `prefix1`, ... without a pause until libtoxcore refuses one; `refusal` is the error's C name. */
  sendUntilRefused(friend: Bytes, prefix: string): Promise<{ messageIds: number[]; refusal: string }> {
    return this.#call("sendUntilRefused", { friend: hexOf(friend), prefix }, SEND_MANY_TIMEOUT_MS);
  }

  /** A custom packet, its id (160 to 191) included. */
  async sendLossless(friend: Bytes, packet: Bytes): Promise<void> {
    await this.#call("sendLossless", { friend: hexOf(friend), hex: hexOf(packet) });
  }

  /** A custom packet, its id (192 to 254) included. */
  async sendLossy(friend: Bytes, packet: Bytes): Promise<void> {
    await this.#call("sendLossy", { friend: hexOf(friend), hex: hexOf(packet) });
  }

  /** What is in the file at `path`, or so many zeros. Gives toxcore's number of the file. */
  sendFile(
    friend: Bytes,
    options: Omit<Methods["sendFile"]["params"], "friend" | "kind"> & { readonly kind?: number },
  ): Promise<{ file: number; fileId: string }> {
    return this.#call("sendFile", { kind: 0, ...options, friend: hexOf(friend) });
  }

  /** Into a new file at `path`, or only to count. `seek`: from there on. */
  async acceptFile(friend: Bytes, file: number, options: { path?: string; seek?: number } = {}): Promise<void> {
    await this.#call("acceptFile", { ...options, friend: hexOf(friend), file });
  }

  async fileControl(friend: Bytes, file: number, control: FileControlName): Promise<void> {
    await this.#call("fileControl", { friend: hexOf(friend), file, control });
  }

  /** Opens a conference with nobody else in it, which profiles keep. */
  async conferenceNew(title: string): Promise<void> {
    await this.#call("conferenceNew", { title });
  }

  async conferenceCount(): Promise<number> {
    return (await this.#call("conferenceCount", {})).count;
  }

  /** The profile as toxcore would write it to a `.tox` file. */
  async savedata(): Promise<Uint8Array> {
    return Uint8Array.from(Buffer.from((await this.#call("savedata", {})).hex, "hex"));
  }

  /**
   * Takes the oldest event of that name that matches, also one that came before this call. Events that do not match
   * stay for others. Of states (connection, name, status, typing) those older than the one taken go with it.
   * Several may wait at once: an event goes to the first of them that it matches.
   */
  waitFor<E extends EventName>(event: E, match?: Match<E>, timeoutMs: number = WAIT_TIMEOUT_MS): Promise<PeerEvent<E>> {
    return this.#process.mailbox.take(event, match, timeoutMs);
  }

  /** Takes `count` matching events in their order; `timeoutMs` is for all of them. */
  async waitForMany<E extends EventName>(
    event: E,
    count: number,
    match?: Match<E>,
    timeoutMs: number = WAIT_TIMEOUT_MS,
  ): Promise<PeerEvent<E>[]> {
    const until = performance.now() + timeoutMs;
    const taken: PeerEvent<E>[] = [];
    while (taken.length < count) {
      taken.push(await this.waitFor(event, match, Math.max(0, Math.ceil(until - performance.now()))));
    }
    return taken;
  }

  /** Resolves after `durationMs` if no such event came or comes; rejects at once if one does, and leaves it there. */
  waitForNone<E extends EventName>(event: E, match: Match<E> | undefined, durationMs: number): Promise<void> {
    return this.#process.mailbox.none(event, match, durationMs);
  }

  /** Takes all events of that name that came. */
  drain<E extends EventName>(event: E): PeerEvent<E>[] {
    return this.#process.mailbox.drain(event);
  }

  /** Stands still, as on a machine that sleeps: hears and says nothing until `resume`. */
  suspend(): void {
    this.#process.signal("SIGSTOP");
  }

  resume(): void {
    this.#process.signal("SIGCONT");
  }

  /** Vanishes without a word to anybody. Resolves when the process is gone. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  /** Goes offline as a client that is quit does (`tox_kill` tells the friends). Idempotent. */
  async close(): Promise<void> {
    await this.#process.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #call<M extends Method>(method: M, params: Methods[M]["params"], timeoutMs?: number): Promise<Methods[M]["result"]> {
    return this.#process.request(method, params, timeoutMs);
  }
}

/** Random by default, so that peers of parallel tests seldom compete; below the range of ephemeral ports. */
function portRange({ startPort, endPort }: ToxcorePeerOptions): { startPort: number; endPort: number } {
  if (startPort !== undefined) return { startPort, endPort: endPort ?? startPort };
  const random = 20_000 + Math.floor(Math.random() * 12_000);
  return { startPort: random, endPort: random + 100 };
}
