import type { LogFields, Logger } from "../env/logger.ts";

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: LogFields;
}

/** Keeps the last lines logged, for tests to look at. */
export class MemoryLogger implements Logger {
  readonly #lines: LogLine[] = []; // bounded by #limit
  readonly #limit: number;

  constructor(limit = 1000) {
    this.#limit = limit;
  }

  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#add({ level: "debug", message, fields });
  }

  info(message: string, fields: LogFields = {}): void {
    this.#add({ level: "info", message, fields });
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#add({ level: "warn", message, fields });
  }

  error(message: string, fields: LogFields = {}): void {
    this.#add({ level: "error", message, fields });
  }

  #add(line: LogLine): void {
    this.#lines.push(line);
    if (this.#lines.length > this.#limit) this.#lines.shift();
  }
}
