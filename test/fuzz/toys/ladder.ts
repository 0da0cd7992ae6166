/** Breaks on three bytes in a row, each behind a branch of its own. */
export function fuzz(data: Uint8Array): void {
  if (data[0] !== 0x54) return;
  if (data[1] !== 0x6f) return;
  if (data[2] !== 0x78) return;
  throw new Error("the ladder's end");
}

export function corpus(): Uint8Array[] {
  return [new Uint8Array(4)];
}
