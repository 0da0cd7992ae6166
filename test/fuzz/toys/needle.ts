/** Breaks on a byte 200 anywhere, behind at least three others. */
export function fuzz(data: Uint8Array): void {
  if (data.indexOf(200) >= 3) throw new Error(`200 at ${data.indexOf(200)}`);
}

export function corpus(): Uint8Array[] {
  return [new Uint8Array(40).fill(9)];
}
