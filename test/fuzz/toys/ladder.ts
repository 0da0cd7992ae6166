/** Breaks on three bytes in a row, each behind a branch of its own. */
export function fuzz(data: Uint8Array): void {
  if (data[0] !== 127) return;
  if (data[1] !== 31) return;
  if (data[2] !== 100) return;
  throw new Error("the ladder's end");
}

export function corpus(): Uint8Array[] {
  return [new Uint8Array(4)];
}
