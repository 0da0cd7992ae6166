/** How often a smaller input is tried at most, and how long. */
const MAX_TRIES = 5_000;
const MAX_MS = 3_000;

/** A shorter and plainer input that still fails: pieces are left out, halves first, then bytes become zeros. */
export async function minimise(
  input: Uint8Array,
  fails: (candidate: Uint8Array) => Promise<boolean>,
): Promise<Uint8Array> {
  let best = input;
  const deadline = performance.now() + MAX_MS;
  let tries = 0;
  const attempt = async (candidate: Uint8Array): Promise<boolean> => {
    if (tries++ >= MAX_TRIES || performance.now() > deadline || !(await fails(candidate.slice()))) return false;
    best = candidate;
    return true;
  };

  for (let size = input.length; size >= 1; size = Math.floor(size / 2)) {
    for (let at = best.length - size; at >= 0; at -= size) {
      await attempt(without(best, at, at + size));
    }
  }
  for (let at = 0; at < best.length; at++) {
    if (best[at] !== 0) await attempt(best.with(at, 0));
  }
  return best;
}

function without(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return Uint8Array.from([...bytes.subarray(0, start), ...bytes.subarray(end)]);
}
