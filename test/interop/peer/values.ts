import { CallError } from "./errors.ts";

export const PUBLIC_KEY_SIZE = 32;
export const ADDRESS_SIZE = 38;

/** What C writes into a buffer of that length. */
export function hexOf(length: number, fill: (out: Uint8Array) => void): string {
  const out = Buffer.alloc(length);
  fill(out);
  return toHex(out);
}

export function toHex(bytes: Buffer): string {
  return bytes.toString("hex").toUpperCase();
}

/** Throws `CallError` when it is no hex, or not of that length in bytes. */
export function bytesOf(hex: string, length?: number): Uint8Array {
  const bytes = Buffer.from(hex, "hex");
  if (bytes.length * 2 !== hex.length) throw new CallError("HARNESS", `not hex: ${hex}`);
  if (length !== undefined && bytes.length !== length) {
    throw new CallError("HARNESS", `${length} bytes wanted, not ${bytes.length}: ${hex}`);
  }
  return bytes;
}

const NO_BYTES = new Uint8Array(1);

/** The bytes as C takes them beside their length: koffi makes NULL of none, which C tells from empty. */
export function pointed(bytes: Uint8Array): Uint8Array {
  return bytes.length === 0 ? NO_BYTES : bytes;
}

/** The name of a C enum value. */
export function nameOf<T extends string>(names: readonly T[], value: number): T {
  const name = names[value];
  if (name === undefined) throw new CallError("HARNESS", `libtoxcore gave the unknown enum value ${value}`);
  return name;
}
