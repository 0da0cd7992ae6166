import { spawnTied } from "../interop/process.ts";
import { type ConnectionState, type DhtNode, ToxcorePeer } from "../interop/toxcore.ts";
import { rpcClient, MAIN as TOXCORE_TS } from "../support/rpc_client.ts";
import { within } from "./within.ts";

/** Where somebody sits, and what of the network he uses. */
export interface Place {
  readonly netns: string;
  /** His UDP port, as a router may keep it. */
  readonly port: number;
  /** Default: on. */
  readonly udp?: boolean;
  /** Whether he looks around in his local network. Default: off. */
  readonly lan?: boolean;
  /** Which of a node's addresses he is told. Default: IPv4. */
  readonly family?: "ipv4" | "ipv6";
  /** Whether he opens an IPv6 socket. Default: if `family` is that. */
  readonly ipv6?: boolean;
  /** Whether he asks his router for his port, if he is one of ours. Default: no. */
  readonly mapPorts?: boolean;
}

export const KINDS = ["ours", "libtoxcore"] as const;
export type Kind = (typeof KINDS)[number];

/** One of ours or of theirs: what the cases ask of both. Waits end with an error that says what did not come. */
export interface Person extends AsyncDisposable {
  readonly id: string;
  readonly publicKey: string;
  /** What the friend's connection was, and since when (`performance.now`); the last is now. */
  readonly connections: readonly { readonly state: ConnectionState; readonly at: number }[];
  bootstrap(node: DhtNode): Promise<void>;
  addRelay(node: DhtNode): Promise<void>;
  addFriend(id: string, message: string): Promise<void>;
  /** Waits for a friend request, and accepts it. */
  accept(message: string, timeoutMs: number): Promise<void>;
  send(friend: string, text: string): Promise<void>;
  /** The oldest message not yet taken. */
  nextMessage(timeoutMs: number): Promise<string>;
}

export function startPerson(kind: Kind, place: Place): Promise<Person> {
  return kind === "ours" ? startOurs(place) : startTheirs(place);
}

async function startOurs(place: Place): Promise<Person> {
  const { netns, port, udp = true, lan, family, ipv6 = family === "ipv6", mapPorts } = place;
  const switches = [...(ipv6 ? [] : ["--no-ipv6"]), ...(udp ? [] : ["--no-udp"]), ...(lan ? ["--lan"] : [])];
  const flags = ["rpc", ...(udp ? ["--port", String(port)] : []), ...switches, ...(mapPorts ? ["--map-ports"] : [])];
  const rpc = rpcClient(spawnTied(process.execPath, [TOXCORE_TS, ...flags], netns));
  const connections: { state: ConnectionState; at: number }[] = [];
  const listen = () =>
    rpc.notified("friendConnection").then(({ state }) => {
      connections.push({ state, at: performance.now() });
      void listen();
    });
  void listen();
  const self = await within(20_000, "the answer of toxcore-ts rpc", rpc.call("self"));
  return {
    id: self.id,
    publicKey: self.publicKey,
    connections,
    bootstrap: async ({ host, port, publicKey }) => void (await rpc.call("bootstrap", { host, port, publicKey })),
    addRelay: async ({ host, port, publicKey }) => void (await rpc.call("addRelay", { host, port, publicKey })),
    addFriend: async (id, message) => void (await rpc.call("addFriend", { id, message })),
    accept: async (message, timeoutMs) => {
      const request = rpc.notified("friendRequest", (request) => request.message === message);
      const { publicKey } = await within(timeoutMs, "the friend request", request);
      await rpc.call("acceptFriend", { publicKey });
    },
    send: async (friend, text) => void (await rpc.call("send", { friend, text })),
    nextMessage: async (timeoutMs) => (await within(timeoutMs, "a message to ours", rpc.notified("message"))).text,
    [Symbol.asyncDispose]: () => rpc[Symbol.asyncDispose](),
  };
}

async function startTheirs({ netns, port, udp = true, lan, family, ipv6 = family === "ipv6" }: Place): Promise<Person> {
  const peer = await ToxcorePeer.start({ netns, startPort: port, udp, ipv6, localDiscovery: lan ?? false });
  const connections: { state: ConnectionState; at: number }[] = [];
  const listen = (): Promise<void> =>
    peer.waitFor("friendConnection", undefined, 3_600_000).then(({ state }) => {
      connections.push({ state, at: performance.now() });
      return listen();
    });
  void listen().catch(() => {}); // the peer has ended
  return {
    id: peer.address,
    publicKey: peer.publicKey,
    connections,
    bootstrap: (node) => peer.bootstrap(node),
    addRelay: (node) => peer.addTcpRelay(node),
    addFriend: async (id, message) => void (await peer.friendAdd(id, message)),
    accept: async (message, timeoutMs) => {
      const { publicKey } = await peer.waitFor("friendRequest", { message }, timeoutMs);
      await peer.friendAddNorequest(publicKey);
    },
    send: async (friend, text) => void (await peer.send(friend, text)),
    nextMessage: async (timeoutMs) => (await peer.waitFor("message", undefined, timeoutMs)).text ?? "",
    [Symbol.asyncDispose]: () => peer.close(),
  };
}
