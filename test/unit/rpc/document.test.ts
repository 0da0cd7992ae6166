import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { type MethodsContext, rpcMethods } from "../../../src/rpc/methods.ts";

const document = readFileSync(new URL("../../../docs/rpc.md", import.meta.url), "utf8");

it("docs/rpc.md has each method with its parameters, and no other", () => {
  const [, table = ""] = /## Requests\n([\s\S]*?)\n\n[^|]/.exec(document) ?? [];
  const documented = new Map<string, string[]>();
  for (const row of table.split("\n").filter((line) => line.startsWith("| `"))) {
    const [, names = "", params = ""] = row.split("|");
    for (const [, name = ""] of names.matchAll(/`(\w+)`/g)) documented.set(name, wordsOf(params));
  }
  const methods = Object.entries(rpcMethods({} as MethodsContext));
  expect(documented).toEqual(new Map(methods.map(([name, { params }]) => [name, [...params]])));
});

/** "`a, b?` (remark)" is a and b. */
function wordsOf(cell: string): string[] {
  return [...(/`([^`]*)`/.exec(cell)?.[1] ?? "").matchAll(/\w+/g)].map(([word]) => word);
}
