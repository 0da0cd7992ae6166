/** An oracle's verdict: the program has made the library do what it must not. */
export class Broken extends Error {
  override readonly name = "Broken";
}

export function expectThat(holds: boolean, otherwise: string | (() => string)): asserts holds {
  if (!holds) throw new Broken(typeof otherwise === "string" ? otherwise : otherwise());
}
