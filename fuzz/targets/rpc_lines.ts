/** JSON-RPC before any method: a stream in pieces becomes lines, and each line gets its answer. The first byte cuts. */
import { Readable } from "node:stream";
import { ToxError } from "../../src/index.ts";
import { answerLine, type Method, type Methods, RpcError, RpcErrorCode } from "../../src/rpc/json_rpc.ts";
import { linesOf, TOO_LONG } from "../../src/rpc/lines.ts";
import { hexParam, integerParam, oneOf, optionalBoolean, optionalString } from "../../src/rpc/params.ts";
import { utf8 } from "../../src/util/text.ts";
import { broken } from "../codec.ts";
import { checkAnswer } from "../rpc_answers.ts";

const method = (run: Method["run"]): Method => ({ params: ["value", "on"], run });

const methods: Methods = {
  number: method((params) => ({ value: integerParam(params, "value") })),
  text: method((params) => ({ value: optionalString(params, "value"), on: optionalBoolean(params, "on") })),
  bytes: method((params) => ({ size: hexParam(params, "value").length })),
  choice: method((params) => oneOf(params, "value", ["one", "other"])),
  nothing: method(() => undefined),
  refuse: method(() => {
    throw new ToxError("own-id", "That is you.");
  }),
  fail: method(() => Promise.reject(new RpcError(RpcErrorCode.InvalidParams, "no", { more: 1 }))),
};

export async function fuzz(data: Uint8Array): Promise<void> {
  const bytes = Buffer.from(data.subarray(1));
  const lines: string[] = [];
  for await (const line of linesOf(Readable.from(pieces(bytes, 1 + (data[0] ?? 0))))) {
    if (line !== TOO_LONG) lines.push(line);
  }
  const expected = bytes
    .toString()
    .split("\n")
    .map((line) => line.replace(/\r$/, ""));
  if (bytes.length === 0 || bytes.at(-1) === 10) expected.pop();
  if (lines.join("\n") !== expected.join("\n")) broken(`read ${JSON.stringify(lines)}`, bytes);
  for (const line of lines) checkAnswer(line, await answerLine(line, methods));
}

export function* corpus(): Iterable<Uint8Array> {
  const request = (id: unknown, method: string, params?: object) => ({ jsonrpc: "2.0", id, method, params });
  const lines = [
    request(1, "number", { value: 7 }),
    request("a", "text", { value: "naïve 😀", on: true }),
    request(null, "bytes", { value: "00fF" }),
    request(-0.5, "choice", { value: "other" }),
    request(2 ** 53, "nothing"),
    request(5, "nothing", { valeu: 1 }),
    [request(3, "refuse"), { jsonrpc: "2.0", method: "nothing" }, request(4, "fail", {})],
    [],
  ].map((message) => JSON.stringify(message));
  for (const line of lines) yield Uint8Array.of(15, ...utf8(`${line}\n`));
  yield Uint8Array.of(255, ...utf8(lines.join("\r\n")));
}

function* pieces(bytes: Buffer, size: number): Iterable<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
