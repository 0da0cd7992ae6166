/** Is asynchronous: rejects what is shorter than three bytes, and never settles for what is longer than three. */
export async function fuzz(data: Uint8Array): Promise<void> {
  if (data.length < 3) throw new Error("too short");
  if (data.length > 3) await new Promise(() => undefined);
}

export function corpus(): Uint8Array[] {
  return [Uint8Array.of(1, 2, 3)];
}
