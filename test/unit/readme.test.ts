import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(resolve(root, file), "utf8");

describe("the documents", () => {
  it("show the bot that is in examples", () => {
    expect(read("README.md")).toContain(`\`\`\`ts\n${read("examples/echo_bot.ts")}\`\`\``);
  });

  it("link to files that are there", () => {
    const documents = ["README.md", "ARCHITECTURE.md", "SECURITY.md", "CONTRIBUTING.md"];
    const inDocs = readdirSync(resolve(root, "docs")).filter((name) => name.endsWith(".md"));
    for (const document of [...documents, ...inDocs.map((name) => `docs/${name}`)]) {
      const links = [...read(document).matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1] ?? "");
      for (const link of links)
        expect(() => read(resolve(root, document, "..", link)), `${link} in ${document}`).not.toThrow();
    }
  });

  it("have a heading for every error code", () => {
    const codes = [...read("src/util/tox_error.ts").matchAll(/^ {2}\| "([a-z-]+)"/gm)].map((match) => match[1]);
    const headings = [...read("docs/errors.md").matchAll(/^### (.+)$/gm)].map((match) => match[1]);
    expect(codes.length).toBeGreaterThan(20);
    expect(headings).toEqual(codes);
  });
});
