import { type BootstrapNode, type Friend, type MemoryMetrics, type Tox, ToxError } from "../index.ts";
import { CONTROL_PARAMS, MEDIA_PARAMS, type RpcCalls } from "./calls.ts";
import type { RpcFiles } from "./files.ts";
import type { Method, Methods, Params } from "./json_rpc.ts";
import {
  booleanParam,
  hexParam,
  integerParam,
  oneOf,
  optionalBoolean,
  optionalNumber,
  optionalString,
  stringParam,
} from "./params.ts";
import type { PendingRequests } from "./pending_requests.ts";

export interface MethodsContext {
  readonly tox: Tox;
  readonly requests: PendingRequests;
  readonly files: RpcFiles;
  readonly calls: RpcCalls;
  readonly metrics: MemoryMetrics | undefined;
  /** Ends the program cleanly, after the answer has left. */
  readonly close: () => void;
}

/** The requests of `docs/rpc.md`, over the public API. */
export function rpcMethods({ tox, requests, files, calls, metrics, close }: MethodsContext): Methods {
  const friendOf = (params: Params): Friend => {
    const publicKey = stringParam(params, "friend");
    const friend = tox.friend(publicKey);
    if (friend === undefined) throw new ToxError("unknown-friend", `${publicKey} is not among the friends.`);
    return friend;
  };

  return {
    self: method([], () => ({
      id: tox.id,
      publicKey: tox.publicKey,
      dhtPublicKey: tox.dhtPublicKey,
      udpPort: tox.udpPort,
      relayPort: tox.relayPort ?? null,
      connection: tox.connection,
      name: tox.name,
      statusMessage: tox.statusMessage,
      status: tox.status,
    })),

    setSelf: method(["name", "statusMessage", "status", "nospam"], (params) => {
      const name = optionalString(params, "name");
      const statusMessage = optionalString(params, "statusMessage");
      const status = params.status === undefined ? undefined : oneOf(params, "status", ["none", "away", "busy"]);
      const nospam = params.nospam === undefined ? undefined : nospamParam(params);
      if (name !== undefined) tox.name = name;
      if (statusMessage !== undefined) tox.statusMessage = statusMessage;
      if (status !== undefined) tox.status = status;
      if (nospam !== undefined) tox.nospam = nospam;
    }),

    bootstrap: method(NODE, (params) => tox.bootstrap(nodeOf(params))),

    addRelay: method(NODE, (params) => tox.addRelay(nodeOf(params))),

    addFriend: method(["id", "message"], async (params) => {
      const friend = await tox.addFriend(stringParam(params, "id"), optionalString(params, "message"));
      return { publicKey: friend.publicKey };
    }),

    addFriendWithoutRequest: method(["publicKey"], async (params) => {
      const friend = await tox.addFriendWithoutRequest(stringParam(params, "publicKey"));
      return { publicKey: friend.publicKey };
    }),

    friendRequests: method([], () => requests.list.map(({ publicKey, message }) => ({ publicKey, message }))),

    acceptFriend: method(["publicKey"], async (params) => {
      const publicKey = stringParam(params, "publicKey");
      const friend = requests.take(publicKey)?.accept() ?? (await tox.addFriendWithoutRequest(publicKey));
      return { publicKey: friend.publicKey };
    }),

    declineFriend: method(["publicKey"], (params) => {
      const declined = requests.take(stringParam(params, "publicKey")) !== undefined;
      return { declined };
    }),

    removeFriend: method(["friend"], (params) => friendOf(params).remove()),

    block: method(["friend", "on"], (params) => tox.block(stringParam(params, "friend"), booleanParam(params, "on"))),

    blocked: method([], () => tox.blocked),

    friends: method([], () =>
      tox.friends.map((friend) => ({
        publicKey: friend.publicKey,
        name: friend.name,
        statusMessage: friend.statusMessage,
        status: friend.status,
        connection: friend.connection,
        lastOnline: friend.lastOnline ?? null,
        queued: friend.queued,
        blocked: friend.blocked,
      })),
    ),

    send: method(["friend", "text", "action", "ttl", "expiresAt"], async (params) => {
      const message = friendOf(params).send(stringParam(params, "text"), {
        action: optionalBoolean(params, "action"),
        ttl: optionalNumber(params, "ttl"),
        expiresAt: optionalNumber(params, "expiresAt"),
      });
      await message.stored;
      return { messageId: message.id };
    }),

    outbox: method(["friend"], (params) => {
      const friend = params.friend === undefined ? undefined : friendOf(params);
      const queued = friend ? friend.outbox().map((message) => ({ friend, message })) : tox.outbox();
      return queued.map(({ friend, message }) => ({
        friend: friend.publicKey,
        messageId: message.id,
        text: message.text,
        action: message.action,
        state: message.state,
        expiresAt: message.expiresAt ?? null,
      }));
    }),

    cancelMessage: method(["messageId"], (params) => ({
      cancelled: tox.queuedMessage(stringParam(params, "messageId"))?.cancel() ?? false,
    })),

    save: method([], () => tox.save()),

    setTyping: method(["friend", "on"], (params) => friendOf(params).setTyping(booleanParam(params, "on"))),

    sendPacket: method(["friend", "hex"], (params) => friendOf(params).sendPacket(hexParam(params, "hex"))),

    sendFile: method(["friend", "path", "kind"], (params) => files.send(friendOf(params), params)),
    acceptFile: method(["friend", "fileId", "path", "offset"], (params) => files.accept(friendOf(params), params)),
    rejectFile: method(FILE, (params) => files.reject(friendOf(params), params)),
    pauseFile: method(FILE, (params) => files.transferOf(friendOf(params), params).pause()),
    resumeFile: method(FILE, (params) => files.transferOf(friendOf(params), params).resume()),
    cancelFile: method(FILE, (params) => files.transferOf(friendOf(params), params).cancel()),

    setAvatar: method(["path"], (params) => files.setAvatar(optionalString(params, "path"))),
    avatar: method(["friend"], (params) => files.avatar(params.friend === undefined ? undefined : friendOf(params))),

    call: method(["friend", ...MEDIA_PARAMS], (params) => calls.call(friendOf(params), params)),
    answer: method(["friend", ...MEDIA_PARAMS], (params) => calls.answer(friendOf(params), params)),
    hangUp: method(["friend"], (params) => calls.hangUp(friendOf(params))),
    calls: method([], () => calls.list),
    callControl: method(["friend", ...CONTROL_PARAMS], (params) => calls.control(friendOf(params), params)),
    setBitRate: method(["friend", "audio", "video"], (params) => calls.setBitRate(friendOf(params), params)),
    callStats: method(["friend"], (params) => calls.stats(friendOf(params))),

    stats: method([], () => ({ nodes: tox.nodeCount, counters: metrics?.snapshot() ?? {} })),

    close: method([], close),
  };
}

const NODE = ["host", "port", "publicKey"];
const FILE = ["friend", "fileId"];

function method(params: readonly string[], run: Method["run"]): Method {
  return { params, run };
}

function nodeOf(params: Params): BootstrapNode {
  return {
    host: stringParam(params, "host"),
    port: integerParam(params, "port"),
    publicKey: stringParam(params, "publicKey"),
  };
}

/** The nospam as the Tox ID shows it: 8 hex digits, or the number itself. */
function nospamParam(params: Params): number {
  if (typeof params.nospam === "number") return params.nospam;
  const bytes = hexParam(params, "nospam");
  if (bytes.length !== 4) throw new ToxError("invalid-argument", "Give the nospam as 8 hex digits.");
  return new DataView(bytes.buffer).getUint32(0);
}
