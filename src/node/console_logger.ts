import type { LogFields, Logger } from "../env/logger.ts";

export const LOG_LEVELS = ["silent", "error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Lines on standard error, of this level and graver ones. */
export function consoleLogger(level: LogLevel): Logger {
  const loudest = LOG_LEVELS.indexOf(level);
  const writer = (of: LogLevel) => (message: string, fields?: LogFields) => {
    if (LOG_LEVELS.indexOf(of) > loudest) return;
    const details = Object.entries(fields ?? {}).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
    process.stderr.write(`${new Date().toISOString()} ${of} ${message}${details.join("")}\n`);
  };
  return { error: writer("error"), warn: writer("warn"), info: writer("info"), debug: writer("debug") };
}
