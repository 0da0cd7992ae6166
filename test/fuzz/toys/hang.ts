/** Never comes back from an input that begins with 7. */
export function fuzz(data: Uint8Array): void {
  while (data[0] === 7);
}

export function corpus(): Uint8Array[] {
  return [Uint8Array.of(1, 2, 3)];
}
