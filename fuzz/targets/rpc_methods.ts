/** JSON-RPC to the end: lines of requests to an instance that is alone in its universe. */
import { MemoryMetrics, Tox } from "../../src/core.ts";
import { loadCryptoProvider } from "../../src/node/index.ts";
import { RpcCalls } from "../../src/rpc/calls.ts";
import { RpcFiles } from "../../src/rpc/files.ts";
import { answerLine, notificationLine, RpcErrorCode } from "../../src/rpc/json_rpc.ts";
import { rpcMethods } from "../../src/rpc/methods.ts";
import { forwardEvents } from "../../src/rpc/notifications.ts";
import { PendingRequests } from "../../src/rpc/pending_requests.ts";
import { Universe } from "../../src/testing/index.ts";
import { toHex } from "../../src/util/bytes.ts";
import { fromUtf8, utf8 } from "../../src/util/text.ts";
import { formatToxId } from "../../src/wire/friend/tox_id.ts";
import { broken } from "../codec.ts";
import { checkAnswer } from "../rpc_answers.ts";

const crypto = await loadCryptoProvider();
const BOB = toHex(publicKeyOf(7));
const CAROL = toHex(publicKeyOf(9));

export async function fuzz(data: Uint8Array): Promise<void> {
  const universe = new Universe();
  const metrics = new MemoryMetrics();
  const tox = await universe.wait(Tox.create({ ...universe.host("alice").edges, crypto, metrics }, { nospam: 1 }));
  const notify = async (method: string, params: object) => JSON.parse(notificationLine(method, params));
  forwardEvents(tox, notify);
  const files = new RpcFiles(tox, notify);
  const calls = new RpcCalls(tox, notify);
  const requests = new PendingRequests(tox);
  const methods = rpcMethods({ tox, requests, files, calls, metrics, close: () => undefined });
  for (const line of fromUtf8(data).split("\n")) {
    const answer = await universe.wait(answerLine(line, methods));
    const codes = checkAnswer(line, answer);
    if (codes.includes(RpcErrorCode.InternalError)) broken(`${line} fails inside: ${answer}`);
    await universe.run(10);
  }
  await universe.wait(tox.close());
}

export function* corpus(): Iterable<Uint8Array> {
  const publicKey = CAROL;
  const id = formatToxId({ publicKey: publicKeyOf(7), nospam: 2 });
  const addBob = ["addFriend", { id, message: "It's me" }] as const;
  yield conversation(["self"], ["stats"], ["friends"], ["close"]);
  yield conversation(["setSelf", { name: "Alice", statusMessage: "Here", status: "away", nospam: "0000000f" }]);
  yield conversation(["bootstrap", { host: "10.0.0.9", port: 33445, publicKey }], ["self"]);
  yield conversation(addBob, ["friends"], ["setTyping", { friend: BOB, on: true }], ["removeFriend", { friend: BOB }]);
  yield conversation(
    addBob,
    ["send", { friend: BOB, text: "hello", action: true }],
    ["outbox"],
    ["outbox", { friend: BOB }],
  );
  yield conversation(
    addBob,
    ["sendPacket", { friend: BOB, hex: "a0ff" }],
    ["cancelMessage", { messageId: "0".repeat(16) }],
  );
  yield conversation(["acceptFriend", { publicKey }], ["addFriendWithoutRequest", { publicKey }]);
  // One step beyond what each parameter may be.
  for (const nospam of ["00000f", "000000000f", "x", -1, 0.5, 2 ** 32]) yield conversation(["setSelf", { nospam }]);
  yield conversation(["setSelf", { name: "n".repeat(129) }], ["setSelf", { statusMessage: "s".repeat(1008) }]);
  yield conversation(["setSelf", { status: "gone" }], ["stats", { more: 1 }], ["self", { id }]);
  yield conversation(["bootstrap", { host: "", port: 1, publicKey }], ["bootstrap", { host: "x", port: 0, publicKey }]);
  yield conversation(
    ["addFriend", { id: `${id}0`, message: "" }],
    ["addFriend", { id: `0${id.slice(1)}`, message: "m" }],
  );
  yield conversation(addBob, ["send", { friend: BOB, text: "" }], ["send", { friend: BOB, text: "t".repeat(1373) }]);
  yield conversation(addBob, ["sendPacket", { friend: BOB, hex: "a0f" }], ["sendPacket", { friend: BOB, hex: "" }]);
  yield conversation(["addFriendWithoutRequest", { publicKey: "00".repeat(32) }], ["removeFriend", { friend: CAROL }]);
}

function conversation(...requests: readonly (readonly [method: string, params?: object])[]): Uint8Array {
  const lines = requests.map(([method, params], id) => JSON.stringify({ jsonrpc: "2.0", id, method, params }));
  return utf8(lines.join("\n"));
}

function publicKeyOf(seed: number): Parameters<typeof formatToxId>[0]["publicKey"] {
  const publicKey = new Uint8Array(32);
  crypto.publicKey(publicKey, new Uint8Array(32).fill(seed) as never);
  return publicKey as never;
}
