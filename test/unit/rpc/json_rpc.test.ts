import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { ToxError } from "../../../src/index.ts";
import { answerLine, type Method, type Methods, RpcError, RpcErrorCode } from "../../../src/rpc/json_rpc.ts";
import { linesOf, MAX_LINE_BYTES, TOO_LONG } from "../../../src/rpc/lines.ts";
import { integerParam } from "../../../src/rpc/params.ts";

const method = (run: Method["run"], params: readonly string[] = []): Method => ({ params, run });
const done: unknown[] = [];

const methods: Methods = {
  double: method((params) => ({ value: 2 * integerParam(params, "value") }), ["value"]),
  note: method((params) => void done.push(params), ["text", "loud"]),
  nothing: method(() => undefined),
  refuse: method(() => {
    throw new ToxError("own-id", "That is you.");
  }),
  fail: method(() => Promise.reject(new Error("broken"))),
  invalid: method(() => {
    throw new RpcError(RpcErrorCode.InvalidParams, "no");
  }),
};

const answer = async (message: unknown) => {
  const line = await answerLine(typeof message === "string" ? message : JSON.stringify(message), methods);
  return line === undefined ? undefined : JSON.parse(line);
};

describe("JSON-RPC", () => {
  it("answers a request with its id", async () => {
    expect(await answer({ jsonrpc: "2.0", id: 7, method: "double", params: { value: 4 } })).toEqual({
      jsonrpc: "2.0",
      id: 7,
      result: { value: 8 },
    });
  });

  it("answers an empty object where there is nothing to say", async () => {
    expect(await answer({ jsonrpc: "2.0", id: "a", method: "nothing" })).toEqual({
      jsonrpc: "2.0",
      id: "a",
      result: {},
    });
  });

  it("says nothing to a notification, even to one that fails", async () => {
    expect(await answer({ jsonrpc: "2.0", method: "nothing" })).toBeUndefined();
    expect(await answer({ jsonrpc: "2.0", method: "fail" })).toBeUndefined();
  });

  it("answers a batch in its order, without the notifications", async () => {
    const batch = [
      { jsonrpc: "2.0", id: 1, method: "double", params: { value: 1 } },
      { jsonrpc: "2.0", method: "nothing" },
      { jsonrpc: "2.0", id: 2, method: "double", params: { value: 2 } },
    ];
    expect((await answer(batch)).map(({ result }: { result: unknown }) => result)).toEqual([
      { value: 2 },
      { value: 4 },
    ]);
  });

  it.each([
    ["no JSON", "{", RpcErrorCode.ParseError],
    ["an empty batch", "[]", RpcErrorCode.InvalidRequest],
    ["a number", "3", RpcErrorCode.InvalidRequest],
    ["null", "null", RpcErrorCode.InvalidRequest],
    ["no version", '{"id":1,"method":"nothing"}', RpcErrorCode.InvalidRequest],
    ["an unknown method", '{"jsonrpc":"2.0","id":1,"method":"toString"}', RpcErrorCode.MethodNotFound],
    ["a list of parameters", '{"jsonrpc":"2.0","id":1,"method":"double","params":[1]}', RpcErrorCode.InvalidParams],
    [
      "a wrong parameter",
      '{"jsonrpc":"2.0","id":1,"method":"double","params":{"value":"1"}}',
      RpcErrorCode.InvalidParams,
    ],
    ["a failure inside", '{"jsonrpc":"2.0","id":1,"method":"fail"}', RpcErrorCode.InternalError],
  ])("refuses %s", async (_, line, code) => {
    expect((await answer(line)).error.code).toBe(code);
  });

  it("refuses a parameter that the method does not have, names it, and does nothing", async () => {
    const refused = await answer({ jsonrpc: "2.0", id: 1, method: "note", params: { text: "a", laud: true } });
    expect(refused.error).toEqual({
      code: RpcErrorCode.InvalidParams,
      message: '"laud" is no parameter of note: those are text, loud.',
    });
    const none = await answer({ jsonrpc: "2.0", id: 1, method: "nothing", params: { toString: 1 } });
    expect(none.error.message).toBe('"toString" is no parameter of nothing: it has none.');
    await answer({ jsonrpc: "2.0", method: "note", params: { laud: true } });
    expect(done).toEqual([]);
    await answer({ jsonrpc: "2.0", method: "note", params: { text: "a" } });
    expect(done).toEqual([{ text: "a" }]);
  });

  it.each(["true", "{}", "[1]", "1e999"])("refuses the id %s, and does nothing", async (id) => {
    const refused = await answer(`{"jsonrpc":"2.0","id":${id},"method":"double","params":{"value":1}}`);
    expect(refused).toMatchObject({ id: null, error: { code: RpcErrorCode.InvalidRequest } });
  });

  it("tells the code of a ToxError", async () => {
    expect((await answer({ jsonrpc: "2.0", id: 1, method: "refuse" })).error).toEqual({
      code: RpcErrorCode.Tox,
      message: "That is you.",
      data: { code: "own-id" },
    });
  });
});

describe("lines", () => {
  const collect = async (chunks: readonly string[]) => {
    const lines: (string | typeof TOO_LONG)[] = [];
    for await (const line of linesOf(Readable.from(chunks.map((chunk) => Buffer.from(chunk, "latin1")))))
      lines.push(line);
    return lines;
  };

  it("are put together from pieces, characters cut in two included", async () => {
    const bytes = Buffer.from("one\ntwö\r\n\nlast").toString("latin1");
    expect(await collect([...bytes])).toEqual(["one", "twö", "", "last"]);
    expect(await collect([bytes])).toEqual(["one", "twö", "", "last"]);
  });

  it("that are too long are told of at once, once, and passed over", async () => {
    const longest = "x".repeat(MAX_LINE_BYTES);
    expect(await collect([`${longest}\n`, "next\n"])).toEqual([longest, "next"]);
    expect(await collect([`${longest}x\nnext\n`])).toEqual([TOO_LONG, "next"]);
    expect(await collect([longest, longest, "x", longest, "the end\nnext"])).toEqual([TOO_LONG, "next"]);
    expect(await collect([longest, "x"])).toEqual([TOO_LONG]);
    expect(await collect([`a\n${longest}x\n${longest}x\nb`])).toEqual(["a", TOO_LONG, TOO_LONG, "b"]);
  });
});
