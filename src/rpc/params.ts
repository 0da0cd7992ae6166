import { type Params, RpcError, RpcErrorCode } from "./json_rpc.ts";

/** Readers of parameters, and hex: each reader answers the value, or refuses with a sentence that names the parameter. */

export function stringParam(params: Params, name: string): string {
  const value = params[name];
  if (typeof value !== "string") throw invalid(`"${name}" is a string.`);
  return value;
}

export function optionalString(params: Params, name: string): string | undefined {
  return params[name] === undefined ? undefined : stringParam(params, name);
}

export function booleanParam(params: Params, name: string): boolean {
  const value = params[name];
  if (typeof value !== "boolean") throw invalid(`"${name}" is true or false.`);
  return value;
}

export function optionalBoolean(params: Params, name: string): boolean | undefined {
  return params[name] === undefined ? undefined : booleanParam(params, name);
}

export function integerParam(params: Params, name: string): number {
  const value = params[name];
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw invalid(`"${name}" is a whole number.`);
  return value;
}

export function optionalNumber(params: Params, name: string): number | undefined {
  const value = params[name];
  if (value !== undefined && typeof value !== "number") throw invalid(`"${name}" is a number.`);
  return value;
}

export function oneOf<T extends string>(params: Params, name: string, values: readonly T[]): T {
  const value = values.find((one) => one === params[name]);
  if (value === undefined) throw invalid(`"${name}" is one of ${values.join(", ")}.`);
  return value;
}

/** The bytes of a parameter in hex. */
export function hexParam(params: Params, name: string): Uint8Array {
  const text = stringParam(params, name);
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) throw invalid(`"${name}" is a string of hex digits.`);
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** And back: in capitals. */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join("");
}

function invalid(message: string): RpcError {
  return new RpcError(RpcErrorCode.InvalidParams, message);
}
