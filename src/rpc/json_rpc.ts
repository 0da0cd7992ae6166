import { ToxError } from "../index.ts";

/** The error codes of JSON-RPC 2.0, and ours for what the library refuses. */
export const RpcErrorCode = {
  ParseError: -32700,
  InvalidRequest: -32600,
  MethodNotFound: -32601,
  InvalidParams: -32602,
  InternalError: -32603,
  /** `data.code` is the code of the `ToxError`. */
  Tox: -32000,
} as const;

export class RpcError extends Error {
  readonly code: number;
  readonly data: Readonly<Record<string, unknown>> | undefined;

  constructor(code: number, message: string, data?: Readonly<Record<string, unknown>>) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

export type Params = Readonly<Record<string, unknown>>;

export interface Method {
  /** The names that are known: another one is a mistake, and nothing is done. */
  readonly params: readonly string[];
  run(params: Params): unknown;
}

export type Methods = Readonly<Record<string, Method>>;

type Id = string | number | null;

/**
 * Answers one line of JSON-RPC 2.0: a request, a notification or a batch. The answer is a line without its end, or
 * undefined when none is due. Never rejects.
 */
export async function answerLine(line: string, methods: Methods): Promise<string | undefined> {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    return JSON.stringify(failure(null, new RpcError(RpcErrorCode.ParseError, "This line is not JSON.")));
  }
  if (!Array.isArray(message)) return toLine(await answer(message, methods));
  if (message.length === 0) return toLine(await answer(undefined, methods));
  const answers: object[] = [];
  for (const request of message) {
    const one = await answer(request, methods);
    if (one !== undefined) answers.push(one);
  }
  return answers.length === 0 ? undefined : JSON.stringify(answers);
}

/** What is said to a line of more than `MAX_LINE_BYTES`. */
export function tooLongLine(longest: number): string {
  const problem = `This line is longer than ${longest} bytes, and was passed over: send less in one.`;
  return JSON.stringify(failure(null, new RpcError(RpcErrorCode.InvalidRequest, problem)));
}

export function notificationLine(method: string, params: object): string {
  return JSON.stringify({ jsonrpc: "2.0", method, params });
}

function toLine(message: object | undefined): string | undefined {
  return message === undefined ? undefined : JSON.stringify(message);
}

async function answer(message: unknown, methods: Methods): Promise<object | undefined> {
  if (!isRequest(message)) {
    const problem = 'A request has "jsonrpc": "2.0", a method, and a string or a number as its id.';
    return failure(idOf(message), new RpcError(RpcErrorCode.InvalidRequest, problem));
  }
  const { method, params, id = null } = message;
  const expectsAnswer = "id" in message;
  try {
    const result = await call(method, params, methods);
    return expectsAnswer ? { jsonrpc: "2.0", id, result: result ?? {} } : undefined;
  } catch (error) {
    return expectsAnswer ? failure(id, error) : undefined;
  }
}

function call(method: string, params: unknown, methods: Methods): unknown {
  const known = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (known === undefined) throw new RpcError(RpcErrorCode.MethodNotFound, `There is no method "${method}".`);
  if (params !== undefined && (typeof params !== "object" || params === null || Array.isArray(params))) {
    throw new RpcError(RpcErrorCode.InvalidParams, '"params" is always an object with the names of the parameters.');
  }
  const unknown = Object.keys(params ?? {}).find((name) => !known.params.includes(name));
  if (unknown !== undefined) {
    const names = known.params.length > 0 ? `those are ${known.params.join(", ")}` : "it has none";
    throw new RpcError(RpcErrorCode.InvalidParams, `"${unknown}" is no parameter of ${method}: ${names}.`);
  }
  return known.run((params ?? {}) as Params);
}

function failure(id: Id, error: unknown): object {
  return { jsonrpc: "2.0", id, error: errorObject(error) };
}

function errorObject(error: unknown): object {
  if (error instanceof RpcError) {
    return { code: error.code, message: error.message, ...(error.data !== undefined && { data: error.data }) };
  }
  if (error instanceof ToxError) return { code: RpcErrorCode.Tox, message: error.message, data: { code: error.code } };
  const reason = error instanceof Error ? error.message : String(error);
  return { code: RpcErrorCode.InternalError, message: `The request failed inside: ${reason}` };
}

/** With no id it is a notification. */
interface Request {
  readonly method: string;
  readonly params?: unknown;
  readonly id?: Id;
}

function isRequest(message: unknown): message is Request {
  if (typeof message !== "object" || message === null) return false;
  const { jsonrpc, method, id = null } = message as Readonly<Record<string, unknown>>;
  return jsonrpc === "2.0" && typeof method === "string" && isId(id);
}

function idOf(message: unknown): Id {
  const id = (message as { id?: unknown } | null | undefined)?.id;
  return isId(id) ? id : null;
}

function isId(id: unknown): id is Id {
  return typeof id === "string" || Number.isFinite(id) || id === null; // 1e999 is no number any more
}
