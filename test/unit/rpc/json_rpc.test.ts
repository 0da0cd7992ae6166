import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { ToxError } from "../../../src/index.ts";
import { answerLine, type Methods, RpcError, RpcErrorCode } from "../../../src/rpc/json_rpc.ts";
import { linesOf, MAX_LINE_BYTES } from "../../../src/rpc/lines.ts";
import { integerParam } from "../../../src/rpc/params.ts";

const methods: Methods = {
  double: (params) => ({ value: 2 * integerParam(params, "value") }),
  nothing: () => undefined,
  refuse: () => {
    throw new ToxError("own-id", "That is you.");
  },
  fail: () => Promise.reject(new Error("broken")),
  invalid: () => {
    throw new RpcError(RpcErrorCode.InvalidParams, "no");
  },
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
    const lines: string[] = [];
    for await (const line of linesOf(Readable.from(chunks.map((chunk) => Buffer.from(chunk, "latin1")))))
      lines.push(line);
    return lines;
  };

  it("are put together from pieces, characters cut in two included", async () => {
    const bytes = Buffer.from("one\ntwö\r\n\nlast").toString("latin1");
    expect(await collect([...bytes])).toEqual(["one", "twö", "", "last"]);
    expect(await collect([bytes])).toEqual(["one", "twö", "", "last"]);
  });

  it("have a longest", async () => {
    await expect(collect(["x".repeat(MAX_LINE_BYTES + 1)])).rejects.toThrow("longer than");
  });
});
