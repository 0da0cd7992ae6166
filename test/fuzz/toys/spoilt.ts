/** Has an input in its corpus that it does not take. */
export function fuzz(data: Uint8Array): void {
  if (data.length === 2) throw new Error("two bytes");
}

export function corpus(): Uint8Array[] {
  return [Uint8Array.of(1), Uint8Array.of(1, 2)];
}
