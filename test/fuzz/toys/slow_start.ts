/** Takes longer to load than it was given. */
await new Promise((resolve) => setTimeout(resolve, 1_000));

export function fuzz(): void {}

export function corpus(): Uint8Array[] {
  return [new Uint8Array(1)];
}
