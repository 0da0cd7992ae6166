/** The largest of the values added during the last so many rounds. */
export class WindowedMax {
  readonly #rounds: number;
  readonly #candidates: Array<{ value: number; round: number }> = []; // falling values: at most one a round

  constructor(rounds: number) {
    this.#rounds = rounds;
  }

  get value(): number {
    return this.#candidates[0]?.value ?? 0;
  }

  add(value: number, round: number): void {
    const candidates = this.#candidates;
    for (let last = candidates.at(-1); last !== undefined && last.value <= value; last = candidates.at(-1)) {
      candidates.pop();
    }
    if (candidates.at(-1)?.round !== round) candidates.push({ value, round });
    for (let first = candidates[0]; first !== undefined && round - first.round >= this.#rounds; first = candidates[0]) {
      candidates.shift();
    }
  }
}
