/** What JSON-RPC 2.0 asks of the answer to a line, whatever the methods do. */
import { RpcErrorCode } from "../src/rpc/json_rpc.ts";
import { broken } from "./codec.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Throws unless this is a proper answer to the line; answers the errors' codes. */
export function checkAnswer(line: string, answer: string | undefined): number[] {
  const due = answersDue(line);
  if (answer === undefined) {
    if (due.length > 0) broken(`no answer to ${line}`);
    return [];
  }
  if (/[\r\n]/.test(answer)) broken(`an answer of more than one line: ${answer}`);
  const parsed: unknown = JSON.parse(answer);
  const answers = (Array.isArray(parsed) ? parsed : [parsed]) as Fields[];
  if (answers.length !== due.length) broken(`${answers.length} answers where ${due.length} are due, to ${line}`);
  return answers.flatMap((one, index) => checkOne(one, due[index]));
}

/** An id to be answered with, and whether the request has to be refused. */
interface Due {
  readonly id: unknown;
  readonly refused: boolean;
}

function answersDue(line: string): Due[] {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    return [{ id: null, refused: true }];
  }
  if (!Array.isArray(message)) return dueTo(message);
  return message.length === 0 ? [{ id: null, refused: true }] : message.flatMap(dueTo);
}

function dueTo(request: unknown): Due[] {
  if (typeof request !== "object" || request === null) return [{ id: null, refused: true }];
  const { jsonrpc, id, method } = request as Fields;
  const hasProperId = typeof id === "string" || Number.isFinite(id) || id === null;
  const isProper = !Array.isArray(request) && jsonrpc === "2.0" && typeof method === "string";
  if (!("id" in request)) return isProper ? [] : [{ id: null, refused: true }];
  return [{ id: hasProperId ? id : null, refused: !isProper || !hasProperId }];
}

function checkOne(answer: Fields, due: Due | undefined): number[] {
  const text = JSON.stringify(answer);
  if (answer.jsonrpc !== "2.0") broken(`an answer without a version: ${text}`);
  // JSON has one zero more than it needs.
  if (JSON.stringify(answer.id) !== JSON.stringify(due?.id)) broken(`an answer with another id: ${text}`);
  if ("result" in answer === "error" in answer) broken(`neither a result nor an error, or both: ${text}`);
  if (!("error" in answer)) return due?.refused ? broken(`a bad request is answered: ${text}`) : [];
  const { code, message, data } = answer.error as Fields;
  if (!Number.isInteger(code) || typeof message !== "string") broken(`an error without code or message: ${text}`);
  const isTox = code === RpcErrorCode.Tox;
  if (isTox !== (typeof (data as Fields | undefined)?.code === "string")) broken(`an error without its code: ${text}`);
  return [code as number];
}
