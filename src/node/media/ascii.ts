/** The letters that name a file's kind, and its parts. */
export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function beginsWith(bytes: Uint8Array, text: string, at = 0): boolean {
  return ascii(text).every((code, i) => bytes[at + i] === code);
}
