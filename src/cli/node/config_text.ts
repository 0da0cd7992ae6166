/**
 * The text of a node's configuration: JSON, or the part of libconfig that tox-bootstrapd's file uses. JSON is told by its
 * opening brace. Every value knows its line, so that what is wrong can be pointed at.
 *
 * libconfig: name = value (or :), ended by ; or , or nothing; { group }, ( list ), [ array ]; whole numbers, decimal or 0x;
 * true and false in any case; strings with escapes, neighbours joined; comments # // and slash-star.
 */
import { ToxError } from "../../index.ts";

export interface ConfigValue {
  readonly line: number;
  readonly value: number | boolean | string | readonly ConfigValue[] | ConfigGroup;
}
export type ConfigGroup = ReadonlyMap<string, ConfigValue>;

export const MAX_CONFIG_LENGTH = 1 << 16;
const MAX_DEPTH = 16;

/** Throws `config-invalid` that names file and line. */
export function parseConfigText(text: string, file: string): ConfigGroup {
  if (text.length > MAX_CONFIG_LENGTH) throw configError(file, 1, "the file is longer than 64 KiB");
  return new Reader(text.replace(/^\ufeff/, ""), file).whole();
}

export function configError(file: string, line: number, what: string): ToxError {
  return new ToxError("config-invalid", `${file}, line ${line}: ${what}${what.endsWith("?") ? "" : "."}`);
}

class Reader {
  readonly #text: string;
  readonly #file: string;
  #at = 0;
  #line = 1;
  #json = false;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  whole(): ConfigGroup {
    this.#json = this.#peek() === "{";
    if (!this.#json) return this.#group("", 0);
    this.#at++;
    const group = this.#group("}", 0);
    if (this.#peek() !== "") throw this.#wrong("something follows the closing brace");
    return group;
  }

  /** Settings until `end`, which is taken; the empty string is the end of the text. */
  #group(end: "" | "}", depth: number): ConfigGroup {
    const settings = new Map<string, ConfigValue>(); // the operator's own file, at most 64 KiB
    for (let first = true; this.#peek() !== end; first = false) {
      if (this.#json && !first) this.#expectComma(end);
      const name = this.#json ? this.#string() : this.#match(/[A-Za-z*][A-Za-z0-9_*-]*/y);
      if (name === undefined) throw this.#wrong("the name of a setting is due here");
      if (settings.has(name)) throw this.#wrong(`${JSON.stringify(name)} is set twice`);
      const sign = this.#peek();
      if (sign !== ":" && (this.#json || sign !== "=")) throw this.#wrong(`${this.#json ? ":" : "="} is due here`);
      this.#at++;
      settings.set(name, this.#value(depth + 1));
      if (!this.#json && /[;,]/.test(this.#peek())) this.#at++;
    }
    if (end !== "") this.#at++;
    return settings;
  }

  #value(depth: number): ConfigValue {
    if (depth > MAX_DEPTH) throw this.#wrong(`more than ${MAX_DEPTH} levels of brackets`);
    const opening = this.#peek();
    const line = this.#line;
    if (opening === '"') return { line, value: this.#strings() };
    if (opening === "[" || (opening === "(" && !this.#json)) {
      this.#at++;
      return { line, value: this.#list(opening === "[" ? "]" : ")", depth) };
    }
    if (opening === "{") {
      this.#at++;
      return { line, value: this.#group("}", depth) };
    }
    const word = this.#match(/[+\-A-Za-z0-9_.]+/y) ?? "";
    if (this.#json ? /^(true|false)$/.test(word) : /^(true|false)$/i.test(word)) {
      return { line, value: word.toLowerCase() === "true" };
    }
    const number = this.#json ? /^-?(0|[1-9]\d*)$/ : /^[+-]?(\d+|0x[0-9a-f]+)L{0,2}$/i;
    const value = number.test(word) ? numberOf(word) : Number.NaN;
    if (!Number.isSafeInteger(value)) throw this.#wrong("a value is due here: a whole number, true, false or a string");
    return { line, value };
  }

  #list(end: "]" | ")", depth: number): ConfigValue[] {
    const values: ConfigValue[] = []; // the operator's own file, at most 64 KiB
    while (this.#peek() !== end) {
      if (values.length > 0) {
        this.#expectComma(end);
        if (!this.#json && this.#peek() === end) break;
      }
      values.push(this.#value(depth + 1));
    }
    this.#at++;
    return values;
  }

  #expectComma(end: string): void {
    if (this.#peek() !== ",") throw this.#wrong(`a comma or ${end} is due here`);
    this.#at++;
  }

  #strings(): string {
    let text = this.#string() ?? "";
    while (!this.#json && this.#peek() === '"') text += this.#string() ?? "";
    return text;
  }

  #string(): string | undefined {
    if (this.#peek() !== '"') return undefined;
    const raw = this.#match(/"(?:[^"\\]|\\[\s\S])*"/y);
    if (raw === undefined) throw this.#wrong("a string is not closed");
    if (this.#json) {
      try {
        return JSON.parse(raw) as string;
      } catch {
        throw this.#wrong("a string has a line end or an escape that JSON does not know");
      }
    }
    return raw.slice(1, -1).replace(/\\(x[0-9a-fA-F]{2}|[\s\S])/g, (_, code: string) => {
      if (code.length === 3) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
      const plain = ESCAPES[code];
      if (plain === undefined) throw this.#wrong(`there is no escape \\${code}`);
      return plain;
    });
  }

  /** The next character that is neither space nor comment; empty at the end. */
  #peek(): string {
    const skipped = this.#json ? /[ \t\r\n]+/y : /\s+|#.*|\/\/.*|\/\*[\s\S]*?\*\//y;
    while (this.#match(skipped) !== undefined);
    return this.#text[this.#at] ?? "";
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) return undefined;
    this.#at += found.length;
    for (const character of found) if (character === "\n") this.#line++;
    return found;
  }

  #wrong(what: string): ToxError {
    return configError(this.#file, this.#line, what);
  }
}

function numberOf(word: string): number {
  const [, sign = "", digits = ""] = /^([+-]?)(.*?)L*$/i.exec(word) ?? [];
  return Number(digits) * (sign === "-" ? -1 : 1);
}

const ESCAPES: Readonly<Record<string, string | undefined>> = {
  __proto__: null as never,
  "\\": "\\",
  '"': '"',
  n: "\n",
  r: "\r",
  t: "\t",
  f: "\f",
};
