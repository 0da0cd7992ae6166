/**
 * The error enums of `tox.h`: for each, the names behind `TOX_ERR_<ENUM>_` in the order of their values (0 is OK).
 */
const ERRORS = {
  OPTIONS_NEW: ["OK", "MALLOC"],
  NEW: [
    "OK",
    "NULL",
    "MALLOC",
    "PORT_ALLOC",
    "PROXY_BAD_TYPE",
    "PROXY_BAD_HOST",
    "PROXY_BAD_PORT",
    "PROXY_NOT_FOUND",
    "LOAD_ENCRYPTED",
    "LOAD_BAD_FORMAT",
  ],
  BOOTSTRAP: ["OK", "NULL", "BAD_HOST", "BAD_PORT"],
  SET_INFO: ["OK", "NULL", "TOO_LONG"],
  FRIEND_ADD: [
    "OK",
    "NULL",
    "TOO_LONG",
    "NO_MESSAGE",
    "OWN_KEY",
    "ALREADY_SENT",
    "BAD_CHECKSUM",
    "SET_NEW_NOSPAM",
    "MALLOC",
  ],
  FRIEND_DELETE: ["OK", "FRIEND_NOT_FOUND"],
  FRIEND_BY_PUBLIC_KEY: ["OK", "NULL", "NOT_FOUND"],
  FRIEND_GET_PUBLIC_KEY: ["OK", "FRIEND_NOT_FOUND"],
  FRIEND_GET_LAST_ONLINE: ["OK", "FRIEND_NOT_FOUND"],
  FRIEND_QUERY: ["OK", "NULL", "FRIEND_NOT_FOUND"],
  SET_TYPING: ["OK", "FRIEND_NOT_FOUND"],
  FRIEND_SEND_MESSAGE: ["OK", "NULL", "FRIEND_NOT_FOUND", "FRIEND_NOT_CONNECTED", "SENDQ", "TOO_LONG", "EMPTY"],
  FRIEND_CUSTOM_PACKET: [
    "OK",
    "NULL",
    "FRIEND_NOT_FOUND",
    "FRIEND_NOT_CONNECTED",
    "INVALID",
    "EMPTY",
    "TOO_LONG",
    "SENDQ",
  ],
  CONFERENCE_NEW: ["OK", "INIT"],
  CONFERENCE_TITLE: ["OK", "CONFERENCE_NOT_FOUND", "INVALID_LENGTH", "FAIL_SEND"],
  FILE_SEND: ["OK", "NULL", "FRIEND_NOT_FOUND", "FRIEND_NOT_CONNECTED", "NAME_TOO_LONG", "TOO_MANY"],
  FILE_CONTROL: [
    "OK",
    "FRIEND_NOT_FOUND",
    "FRIEND_NOT_CONNECTED",
    "NOT_FOUND",
    "NOT_PAUSED",
    "DENIED",
    "ALREADY_PAUSED",
    "SENDQ",
  ],
  FILE_SEEK: ["OK", "FRIEND_NOT_FOUND", "FRIEND_NOT_CONNECTED", "NOT_FOUND", "DENIED", "INVALID_POSITION", "SENDQ"],
  FILE_GET: ["OK", "NULL", "FRIEND_NOT_FOUND", "NOT_FOUND"],
  GET_PORT: ["OK", "NOT_BOUND"],
} as const;

export type ErrorEnum = keyof typeof ERRORS;

/** A call into libtoxcore that failed, or (code `HARNESS`) a request that the child could not understand. */
export class CallError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "CallError";
    this.code = code;
  }
}

/** Runs a C function that reports its error through an out-parameter. */
export function checked<T>(errors: ErrorEnum, call: (error: [number]) => T): T {
  const error: [number] = [0];
  const result = call(error);
  if (error[0] === 0) return result;
  const code = `TOX_ERR_${errors}_${ERRORS[errors][error[0]] ?? error[0]}`;
  throw new CallError(code, code);
}
