/** Breaks on inputs of 3,000 bytes or more. */
export function fuzz(data: Uint8Array): void {
  if (data.length >= 3000) throw new Error("too long");
}

export function corpus(): Uint8Array[] {
  return [new Uint8Array(3000).fill(9)];
}
