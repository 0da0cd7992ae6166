export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Structured logging, silent unless the app injects one. Never handed a secret key, a nonce or a message's text. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

const nothing = (): void => {};

export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
