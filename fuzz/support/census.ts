import { Session } from "node:inspector";
import { Broken } from "./broken.ts";

/** Private fields from the instance on, `#pending.#requests`; `[]` stands for every element of an array, map or set. */
export type Bounds = Readonly<Record<string, number>>;

interface Counted {
  readonly size?: number;
  readonly length?: number;
  readonly capacity?: number;
}

/**
 * Counts what is in the tables of an instance and compares it with their bounds. The tables are private, and no getter is
 * made for this alone: the inspector, which may look at private fields, hands them over.
 */
export class Census {
  readonly #session = new Session();
  readonly #bounds: ReadonlyArray<readonly [path: readonly string[], bound: number]>;

  constructor(bounds: Bounds) {
    this.#bounds = Object.entries(bounds).map(([path, bound]) => [path.split("."), bound]);
  }

  check(instance: object): void {
    this.#session.connect();
    const seen = new Map<object, ReadonlyMap<string, unknown>>();
    try {
      for (const [path, bound] of this.#bounds) {
        for (const table of this.#reach(instance, path, seen)) {
          const { size, length, capacity } = table as Counted;
          const count = size ?? length ?? capacity;
          if (count === undefined) throw new Error(`${path.join(".")} is no table.`);
          if (count > bound) throw new Broken(`${path.join(".")} holds ${count}, more than ${bound}`);
        }
      }
    } finally {
      this.#session.disconnect();
    }
  }

  #reach(from: object, path: readonly string[], seen: Map<object, ReadonlyMap<string, unknown>>): object[] {
    let reached: object[] = [from];
    for (const name of path) {
      reached = reached.flatMap((object) => {
        if (name === "[]") return elementsOf(object);
        let fields = seen.get(object);
        if (fields === undefined) {
          fields = this.#fieldsOf(object);
          seen.set(object, fields);
        }
        if (!fields.has(name)) throw new Error(`There is no field ${name} on the way ${path.join(".")}.`);
        const value = fields.get(name);
        return typeof value === "object" && value !== null ? [value] : [];
      });
    }
    return reached;
  }

  /** Private fields and others. */
  #fieldsOf(object: object): ReadonlyMap<string, unknown> {
    const hand = globalThis as { fuzzCensus?: unknown };
    hand.fuzzCensus = object;
    const { result } = this.#post("Runtime.evaluate", { expression: "fuzzCensus" }) as RemoteResult;
    const properties = this.#post("Runtime.getProperties", { objectId: result.objectId, ownProperties: true });
    const { privateProperties = [], result: own } = properties as RemoteProperties;
    const wanted = [...privateProperties, ...own].filter(({ value }) => value?.objectId !== undefined);
    this.#post("Runtime.callFunctionOn", {
      objectId: result.objectId,
      functionDeclaration: "function (...values) { globalThis.fuzzCensus = values; }",
      arguments: wanted.map(({ value }) => ({ objectId: value?.objectId })),
    });
    const values = hand.fuzzCensus as unknown[];
    hand.fuzzCensus = undefined;
    const fields = new Map<string, unknown>();
    for (const { name } of [...privateProperties, ...own]) fields.set(name, undefined);
    for (const [index, { name }] of wanted.entries()) fields.set(name, values[index]);
    return fields;
  }

  /** Answers at once within one thread. */
  #post(method: string, parameters: object): object {
    let answer: object | undefined;
    this.#session.post(method, parameters, (error, result) => {
      if (error !== null) throw error;
      answer = result;
    });
    if (answer === undefined) throw new Error(`The inspector does not answer ${method}.`);
    return answer;
  }
}

interface RemoteValue {
  readonly name: string;
  readonly value?: { readonly objectId?: string };
}
interface RemoteResult {
  readonly result: { readonly objectId: string };
}
interface RemoteProperties {
  readonly result: readonly RemoteValue[];
  readonly privateProperties?: readonly RemoteValue[];
}

function elementsOf(collection: object): object[] {
  const { values } = collection as { values?: () => Iterable<unknown> };
  if (typeof values !== "function") throw new Error("This is no collection.");
  return [...values.call(collection)].filter((value) => typeof value === "object" && value !== null) as object[];
}
