/** What every module in `fuzz/targets` exports; `fuzz` alone is the shape that jazzer and OSS-Fuzz take. */
export interface FuzzTarget {
  /** One input; throws (or rejects) when an oracle is broken. Keeps no state between calls: same input, same verdict. */
  fuzz(data: Uint8Array): void | Promise<void>;
  /** What the mutations start from: inputs made by our own encoders, valid or one step beyond. */
  corpus(): Iterable<Uint8Array>;
  /** How long one input may take of the processor's time, in milliseconds; 2000 when left out. */
  readonly limitMs?: number;
}
