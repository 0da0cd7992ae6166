/** The name that was probably meant: the one that the fewest changed letters lead to, if they are few. */
export function nearestName(written: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let fewest = 1 + Math.min(3, Math.floor(written.length / 2));
  for (const name of names) {
    // A difference in length alone is as many changes; and what is far too long is not worth comparing.
    if (Math.abs(name.length - written.length) >= fewest) continue;
    const changes = distance(written.toLowerCase(), name);
    if (changes < fewest) [best, fewest] = [name, changes];
  }
  return best;
}

/** Levenshtein's: letters put in, left out or exchanged. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const exchanged = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(exchanged, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
