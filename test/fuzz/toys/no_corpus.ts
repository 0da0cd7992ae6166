/** Has a corpus that cannot be made, as when a decoder takes what it must not. */
export function fuzz(): void {}

export function corpus(): Uint8Array[] {
  throw new Error("a sample is taken beyond its bounds");
}
